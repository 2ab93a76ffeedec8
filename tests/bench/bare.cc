// The reference of the benchmarks: what one would write by hand, with nothing around it. Static,
// one file, SQLite and printf.
//
//   banger-bare list STATE.DB           every row of table vm as a JSON line
//   banger-bare create STATE.DB NAME    the two durable commits that making a VM takes
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

namespace {

int wait_a_little(void*, int) {
  timespec nap{0, 300'000};
  nanosleep(&nap, nullptr);
  return 1;
}

sqlite3* open_db(const char* path) {
  sqlite3* db = nullptr;
  if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK)
    std::exit(1);
  sqlite3_busy_handler(db, wait_a_little, nullptr);
  return db;
}

void print_text(const char* text) {
  if (!text[std::strcspn(text, "\"\\\n")]) {
    std::printf("\"%s\"", text);
    return;
  }
  std::putchar('"');
  for (; *text; ++text) {
    if (*text == '\n')
      std::fputs("\\n", stdout);
    else
      std::printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
  }
  std::putchar('"');
}

int list(const char* path) {
  sqlite3* db = open_db(path);
  sqlite3_stmt* rows = nullptr;
  if (sqlite3_prepare_v2(db, "SELECT * FROM vm ORDER BY name", -1, &rows, nullptr) != SQLITE_OK)
    return 1;
  int result = 0;
  while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
    for (int i = 0; i < sqlite3_column_count(rows); ++i) {
      std::printf("%s\"%s\":", i ? "," : "{", sqlite3_column_name(rows, i));
      switch (sqlite3_column_type(rows, i)) {
      case SQLITE_TEXT:
        print_text(reinterpret_cast<const char*>(sqlite3_column_text(rows, i)));
        break;
      case SQLITE_INTEGER:
        std::printf("%lld", sqlite3_column_int64(rows, i));
        break;
      case SQLITE_FLOAT:
        std::printf("%g", sqlite3_column_double(rows, i));
        break;
      default:
        std::fputs("null", stdout);
      }
    }
    std::puts("}");
  }
  sqlite3_finalize(rows);
  sqlite3_close(db);
  return result == SQLITE_DONE ? 0 : 1;
}

// Writers stand in a line, as ours do: SQLite's own waiting is a lottery, in which a hundred at
// once took 0.3 s or 23.
bool in_turn(sqlite3* db, const std::string& path, const std::string& sql) {
  int line = ::open((path + "-line").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (line < 0) return false;
  flock whole{};
  whole.l_type = F_WRLCK;
  while (::fcntl(line, F_OFD_SETLKW, &whole) != 0)
    if (errno != EINTR) return false;
  bool done = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  ::close(line);
  return done;
}

int create(const char* path, const char* name) {
  sqlite3* db = open_db(path);
  // A row as large as any, with a name and an address of its own.
  std::string insert = "INSERT INTO vm SELECT ";
  sqlite3_stmt* columns = nullptr;
  if (sqlite3_prepare_v2(db, "SELECT * FROM vm LIMIT 1", -1, &columns, nullptr) != SQLITE_OK)
    return 1;
  for (int i = 0; i < sqlite3_column_count(columns); ++i) {
    std::string column = sqlite3_column_name(columns, i);
    bool own = column == "id" || column == "name" || column == "reach";
    insert += (i ? ", " : "") + (own ? "'" + std::string(name) + "'" : column);
  }
  sqlite3_finalize(columns);
  std::string text(name);
  bool done = in_turn(db, path, "BEGIN IMMEDIATE; " + insert + " FROM vm LIMIT 1; COMMIT") &&
              in_turn(db, path,
                      "BEGIN IMMEDIATE; UPDATE vm SET state = 'stopped' WHERE name = '" + text +
                          "'; INSERT INTO event (time, op, vm, type, detail) VALUES (1, 'op', '" +
                          text + "', 'vm.created', '{}'); COMMIT");
  if (!done) std::fprintf(stderr, "banger-bare: %s\n", sqlite3_errmsg(db));
  sqlite3_close(db);
  return done ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  if (argc == 3 && !std::strcmp(argv[1], "list")) return list(argv[2]);
  if (argc == 4 && !std::strcmp(argv[1], "create")) return create(argv[2], argv[3]);
  std::fputs("usage: banger-bare list STATE.DB | create STATE.DB NAME\n", stderr);
  return 2;
}

// For programs that are linked whole. libcrypto.a, libsqlite3.a and libldns.a mention functions of
// the C library that load shared objects at run time: plugins, and what finds names of hosts and
// services. Nothing here calls those parts, and a static program has no business with a shared
// object. Said here in place of the C library's own, each fails as where there is nothing to be
// found; its look-ups stay out of the program, and the linker has nothing to warn of but
// true faults.
#include <dlfcn.h>
#include <netdb.h>

extern "C" {

// The C library has a use of its own for this one, by another name in the same object: the linker
// is asked to send the others here (--wrap).
void* __wrap_dlopen(const char*, int) { return nullptr; }
int dlclose(void*) noexcept { return -1; }
void* dlsym(void*, const char*) noexcept { return nullptr; }
char* dlerror() noexcept {
  static char why[] = "a static program loads no shared objects";
  return why;
}

int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo** found) {
  *found = nullptr;
  return EAI_FAIL;
}
void freeaddrinfo(addrinfo*) noexcept {}
hostent* gethostbyname(const char*) {
  h_errno = NO_RECOVERY;
  return nullptr;
}
protoent* getprotobyname(const char*) { return nullptr; }
protoent* getprotobynumber(int) { return nullptr; }
void endprotoent() {}
servent* getservbyname(const char*, const char*) { return nullptr; }
servent* getservbyport(int, const char*) { return nullptr; }
void endservent() {}
}

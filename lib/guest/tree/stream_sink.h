// One file's content into what is open and only takes bytes: a device, a FIFO, standard output.
#pragma once

#include <string>

#include "core/handle.h"
#include "guest/tree/tree.h"

namespace banger::guest {

class StreamSink : public TreeSink {
public:
  // Waits until the bytes are taken; throws Interrupted when a signal is there on `signals`
  // (-1: none). Bytes that were written stay, whatever comes after.
  StreamSink(Fd to, std::string shown, int signals);
  // Of one file alone, whose holes are zeros.
  void entry(const TreeEntry& entry) override;
  void data(std::string_view bytes) override;
  void finish() override;

private:
  void zeros_until(int64_t end);

  Fd to_;
  std::string shown_;
  int signals_;
  std::vector<Extent> extents_;
  size_t extent_ = 0;
  int64_t within_ = 0, written_ = 0, size_ = 0;
};

// As much as is taken at once, without blocking and without changing flags that others may share.
// Waits until all is. Throws Interrupted as above, Error for a failed write.
void write_waiting(int to, std::string_view bytes, const std::string& shown, int signals);

} // namespace banger::guest

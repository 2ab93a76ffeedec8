#include "sys/datagram_batch.h"

#include <algorithm>

#include "sys/socket_impl.h"

namespace banger::sys {

struct DatagramBatch::Messages {
  std::array<mmsghdr, most> headers{}, replies{};
  std::array<iovec, most> parts{}, reply_parts{};
  std::array<sockaddr_in, most> peers{};
  // To which address of this host it was sent. Told where the socket is asked to (bind_udp), and
  // given back as it came, it says from which one to answer.
  std::array<Control<in_pktinfo>, most> controls{};
  std::array<std::array<char, longest>, most> bytes;

  // Room for one, again.
  void prepare(size_t i) {
    parts[i] = {bytes[i].data(), longest};
    msghdr& m = headers[i].msg_hdr = controls[i].message(parts[i]);
    m.msg_name = &peers[i];
    m.msg_namelen = sizeof peers[i];
  }
};

DatagramBatch::DatagramBatch() : messages_(std::make_unique<Messages>()) {
  for (size_t i = 0; i < most; i++) messages_->prepare(i);
}
DatagramBatch::~DatagramBatch() = default;

size_t DatagramBatch::receive(int fd) {
  for (size_t i = 0; i < count_; i++) messages_->prepare(i);
  int n = ::recvmmsg(fd, messages_->headers.data(), most, MSG_DONTWAIT, nullptr);
  count_ = n > 0 ? static_cast<size_t>(n) : 0;
  for (size_t i = 0; i < count_; i++) answers_[i].clear();
  return count_;
}

std::string_view DatagramBatch::datagram(size_t i) const {
  return {messages_->bytes[i].data(), std::min<size_t>(messages_->headers[i].msg_len, longest)};
}

bool DatagramBatch::is_cut(size_t i) const {
  return (messages_->headers[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
}

UdpPeer DatagramBatch::peer(size_t i) const {
  const sockaddr_in& from = messages_->peers[i];
  UdpPeer peer{from.sin_addr.s_addr, from.sin_port, 0};
  const msghdr& m = messages_->headers[i].msg_hdr;
  for (cmsghdr* c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(const_cast<msghdr*>(&m), c)) {
    if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO) continue;
    in_pktinfo info;
    std::memcpy(&info, CMSG_DATA(c), sizeof info);
    peer.local = info.ipi_spec_dst.s_addr;
  }
  return peer;
}

void DatagramBatch::send(int fd) {
  unsigned all = 0;
  for (size_t i = 0; i < count_; i++) {
    if (answers_[i].empty()) continue;
    messages_->reply_parts[all] = {answers_[i].data(), answers_[i].size()};
    msghdr& m = messages_->replies[all].msg_hdr = messages_->headers[i].msg_hdr;
    m.msg_iov = &messages_->reply_parts[all];
    m.msg_flags = 0;
    all++;
  }
  // An error is that of the first that is left, or of one before it, which an ICMP message has told
  // of since: it is passed over, so that it keeps none of the others.
  for (unsigned sent = 0; sent < all;) {
    int n =
        ::sendmmsg(fd, messages_->replies.data() + sent, all - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    sent += n > 0 ? static_cast<unsigned>(n) : 1;
  }
}

} // namespace banger::sys

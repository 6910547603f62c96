#pragma once
#include <linux/filter.h>
#include <pcap/pcap.h>
#include <sys/socket.h>

// libpcap's own filter would run over what is in the ring already, too: this one is the kernel's alone. Zero, or -1 and errno.
static inline int cpcap_receive_nothing(pcap_t *handle) {
  struct sock_filter drop = {BPF_RET | BPF_K, 0, 0, 0};
  struct sock_fprog program = {1, &drop};
  return setsockopt(pcap_fileno(handle), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

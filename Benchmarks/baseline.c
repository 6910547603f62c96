// The least that any program does that counts flows of a capture: read every frame with libpcap, parse Ethernet, VLAN, IPv4, IPv6,
// TCP and UDP headers, and keep packets and bytes per directed five-tuple in a hash table. scripts/bench measures egress-obs against it.
//
// cc -O2 -o baseline baseline.c -lpcap && ./baseline FILE
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Five words, so that hashing and comparing are a handful of instructions; IPv4 addresses fill the last four octets of theirs.
typedef union {
  struct {
    uint8_t source[16], destination[16];
    uint8_t ports[4];
    uint8_t protocol, padding[3];
  };
  uint64_t words[5];
} key;

typedef struct {
  key key;
  uint64_t packets, bytes;
} flow;

typedef struct {
  flow *slots;
  size_t mask, count;
} table;

static uint64_t packets, bytes, tcp, udp, other;

static uint64_t hash(const key *k) {
  uint64_t h = 0;
  for (int i = 0; i < 5; i++) {
    h = (h ^ k->words[i]) * 0x9e3779b97f4a7c15u;
    h ^= h >> 32;
  }
  return h;
}

static flow *find(const table *t, const key *k) {
  size_t i = hash(k) & t->mask;
  while (t->slots[i].packets != 0 && memcmp(&t->slots[i].key, k, sizeof *k) != 0) i = (i + 1) & t->mask;
  return &t->slots[i];
}

static table table_of(size_t slots) {
  table t = {calloc(slots, sizeof(flow)), slots - 1, 0};
  if (t.slots == NULL) {
    perror("baseline");
    exit(2);
  }
  return t;
}

static void grow(table *t) {
  table larger = table_of((t->mask + 1) * 2);
  for (size_t i = 0; i <= t->mask; i++)
    if (t->slots[i].packets != 0) *find(&larger, &t->slots[i].key) = t->slots[i];
  larger.count = t->count;
  free(t->slots);
  *t = larger;
}

static bool parse(const u_char *p, uint32_t captured, key *k) {
  uint32_t at = 14;
  if (captured < at) return false;
  uint16_t type = (uint16_t)(p[12] << 8 | p[13]);
  while ((type == 0x8100 || type == 0x88a8) && captured >= at + 4) {
    type = (uint16_t)(p[at + 2] << 8 | p[at + 3]);
    at += 4;
  }
  if (type == 0x0800) {
    if (captured < at + 20) return false;
    memcpy(k->source + 12, p + at + 12, 4);
    memcpy(k->destination + 12, p + at + 16, 4);
    k->protocol = p[at + 9];
    at += (p[at] & 15u) * 4;
  } else if (type == 0x86dd) {
    if (captured < at + 40) return false;
    memcpy(k->source, p + at + 8, 32);
    k->protocol = p[at + 6];
    at += 40;
  } else {
    return false;
  }
  if ((k->protocol != 6 && k->protocol != 17) || captured < at + 8) return false;
  memcpy(k->ports, p + at, 4);
  return true;
}

static void count(u_char *user, const struct pcap_pkthdr *header, const u_char *frame) {
  table *t = (table *)user;
  key k = {.words = {0}};
  packets++;
  bytes += header->len;
  if (!parse(frame, header->caplen, &k)) {
    other++;
    return;
  }
  if (k.protocol == 6) tcp++;
  else udp++;
  flow *f = find(t, &k);
  if (f->packets == 0) {
    f->key = k;
    t->count++;
  }
  f->packets++;
  f->bytes += header->len;
  if (t->count * 4 > (t->mask + 1) * 3) grow(t);
}

int main(int argc, char **argv) {
  char error[PCAP_ERRBUF_SIZE];
  if (argc != 2) {
    fprintf(stderr, "usage: baseline FILE\n");
    return 64;
  }
  pcap_t *capture = pcap_open_offline(argv[1], error);
  if (capture == NULL) {
    fprintf(stderr, "baseline: %s\n", error);
    return 2;
  }
  table t = table_of(1u << 17);
  int result;
  while ((result = pcap_dispatch(capture, -1, count, (u_char *)&t)) > 0) continue;
  if (result < 0) fprintf(stderr, "baseline: %s\n", pcap_geterr(capture));
  printf("packets %llu bytes %llu tcp %llu udp %llu other %llu directed_flows %zu\n", (unsigned long long)packets,
         (unsigned long long)bytes, (unsigned long long)tcp, (unsigned long long)udp, (unsigned long long)other, t.count);
  return result < 0 ? 2 : 0;
}

/* The IP protocols: what a packet, an address and an interface are to a program. */
inline int IPH_DF = 0x4000;
#pragma D binding "1.5" IPH_DF
inline int IPH_MF = 0x2000;
#pragma D binding "1.5" IPH_MF
inline int IPPROTO_IP = 0;
#pragma D binding "1.5" IPPROTO_IP
inline int IPPROTO_HOPOPTS = 0;
#pragma D binding "1.5" IPPROTO_HOPOPTS
inline int IPPROTO_ICMP = 1;
#pragma D binding "1.5" IPPROTO_ICMP
inline int IPPROTO_IGMP = 2;
#pragma D binding "1.5" IPPROTO_IGMP
inline int IPPROTO_GGP = 3;
#pragma D binding "1.5" IPPROTO_GGP
inline int IPPROTO_ENCAP = 4;
#pragma D binding "1.5" IPPROTO_ENCAP
inline int IPPROTO_TCP = 6;
#pragma D binding "1.5" IPPROTO_TCP
inline int IPPROTO_EGP = 8;
#pragma D binding "1.5" IPPROTO_EGP
inline int IPPROTO_PUP = 12;
#pragma D binding "1.5" IPPROTO_PUP
inline int IPPROTO_UDP = 17;
#pragma D binding "1.5" IPPROTO_UDP
inline int IPPROTO_IDP = 22;
#pragma D binding "1.5" IPPROTO_IDP
inline int IPPROTO_IPV6 = 41;
#pragma D binding "1.5" IPPROTO_IPV6
inline int IPPROTO_ROUTING = 43;
#pragma D binding "1.5" IPPROTO_ROUTING
inline int IPPROTO_FRAGMENT = 44;
#pragma D binding "1.5" IPPROTO_FRAGMENT
inline int IPPROTO_RSVP = 46;
#pragma D binding "1.5" IPPROTO_RSVP
inline int IPPROTO_ESP = 50;
#pragma D binding "1.5" IPPROTO_ESP
inline int IPPROTO_AH = 51;
#pragma D binding "1.5" IPPROTO_AH
inline int IPPROTO_ICMPV6 = 58;
#pragma D binding "1.5" IPPROTO_ICMPV6
inline int IPPROTO_NONE = 59;
#pragma D binding "1.5" IPPROTO_NONE
inline int IPPROTO_DSTOPTS = 60;
#pragma D binding "1.5" IPPROTO_DSTOPTS
inline int IPPROTO_HELLO = 63;
#pragma D binding "1.5" IPPROTO_HELLO
inline int IPPROTO_ND = 77;
#pragma D binding "1.5" IPPROTO_ND
inline int IPPROTO_EON = 80;
#pragma D binding "1.5" IPPROTO_EON
inline int IPPROTO_OSPF = 89;
#pragma D binding "1.5" IPPROTO_OSPF
inline int IPPROTO_PIM = 103;
#pragma D binding "1.5" IPPROTO_PIM
inline int IPPROTO_SCTP = 132;
#pragma D binding "1.5" IPPROTO_SCTP
inline int IPPROTO_RAW = 255;
#pragma D binding "1.5" IPPROTO_RAW
inline int IPPROTO_MAX = 256;
#pragma D binding "1.5" IPPROTO_MAX

typedef struct pktinfo { uintptr_t pkt_addr; } pktinfo_t;
typedef struct csinfo { uintptr_t cs_addr; uint64_t cs_cid; pid_t cs_pid; zoneid_t cs_zoneid; } csinfo_t;
typedef struct ipinfo { uint8_t ip_ver; uint32_t ip_plength; string ip_saddr; string ip_daddr; } ipinfo_t;
typedef struct ifinfo { string if_name; int8_t if_local; netstackid_t if_ipstack; uintptr_t if_addr; } ifinfo_t;
typedef struct ipv4info {
  uint8_t ipv4_ver; uint8_t ipv4_ihl; uint8_t ipv4_tos; uint16_t ipv4_length; uint16_t ipv4_ident; uint8_t ipv4_flags;
  uint16_t ipv4_offset; uint8_t ipv4_ttl; uint8_t ipv4_protocol; string ipv4_protostr; uint16_t ipv4_checksum;
  ipaddr_t ipv4_src; ipaddr_t ipv4_dst; string ipv4_saddr; string ipv4_daddr; ipha_t *ipv4_hdr;
} ipv4info_t;
typedef struct ipv6info {
  uint8_t ipv6_ver; uint8_t ipv6_tclass; uint32_t ipv6_flow; uint16_t ipv6_plen; uint8_t ipv6_nexthdr; string ipv6_nextstr;
  uint8_t ipv6_hlim; in6_addr_t *ipv6_src; in6_addr_t *ipv6_dst; string ipv6_saddr; string ipv6_daddr; ip6_t *ipv6_hdr;
} ipv6info_t;

/* A header of either version, and an interface whose probe says in arg6 whether the packet stays here. */
typedef uintptr_t void_ip_t;
typedef ill_t __dtrace_ipsr_ill_t;

translator pktinfo_t < mblk_t *M > { pkt_addr = NULL; };
translator csinfo_t < conn_t *C > { cs_addr = NULL; };
translator csinfo_t < ip_xmit_attr_t *C > {
  cs_addr = (uintptr_t)C;
  cs_cid = C == NULL ? 0 : C->ixa_conn_id;
  cs_pid = C == NULL ? -1 : C->ixa_cpid;
  cs_zoneid = C == NULL ? -1 : C->ixa_zoneid;
};
translator ipinfo_t < ipha_t *I > {
  ip_ver = I->ipha_version_and_hdr_length >> 4;
  ip_plength = ntohs(I->ipha_length) - 4 * (I->ipha_version_and_hdr_length & 0xf);
  ip_saddr = inet_ntoa(&I->ipha_src);
  ip_daddr = inet_ntoa(&I->ipha_dst);
};
translator ipinfo_t < ip6_t *I > {
  ip_ver = *(uint8_t *)I >> 4;
  ip_plength = ntohs(I->ip6_ctlun.ip6_un1.ip6_un1_plen);
  ip_saddr = inet_ntoa6(&I->ip6_src);
  ip_daddr = inet_ntoa6(&I->ip6_dst);
};
translator ipinfo_t < void_ip_t *I > {
  ip_ver = I == NULL ? 0 : *(uint8_t *)I >> 4;
  ip_plength = I == NULL ? 0 :
      *(uint8_t *)I >> 4 == 4 ? ntohs(((ipha_t *)I)->ipha_length) - 4 * (((ipha_t *)I)->ipha_version_and_hdr_length & 0xf) :
      *(uint8_t *)I >> 4 == 6 ? ntohs(((ip6_t *)I)->ip6_ctlun.ip6_un1.ip6_un1_plen) : 0;
  ip_saddr = I == NULL ? "<unknown>" : *(uint8_t *)I >> 4 == 4 ? inet_ntoa(&((ipha_t *)I)->ipha_src) :
      *(uint8_t *)I >> 4 == 6 ? inet_ntoa6(&((ip6_t *)I)->ip6_src) : "<unknown>";
  ip_daddr = I == NULL ? "<unknown>" : *(uint8_t *)I >> 4 == 4 ? inet_ntoa(&((ipha_t *)I)->ipha_dst) :
      *(uint8_t *)I >> 4 == 6 ? inet_ntoa6(&((ip6_t *)I)->ip6_dst) : "<unknown>";
};
translator ifinfo_t < __dtrace_ipsr_ill_t *I > {
  if_name = I == NULL ? "<null>" : stringof(I->ill_name);
  if_local = arg6;
  if_ipstack = I == NULL ? 0 : I->ill_ipst->ips_netstack->netstack_stackid;
  if_addr = (uintptr_t)I;
};
translator ipv4info_t < ipha_t *I > {
  ipv4_ver = I == NULL ? 0 : I->ipha_version_and_hdr_length >> 4;
  ipv4_ihl = I == NULL ? 0 : 4 * (I->ipha_version_and_hdr_length & 0xf);
  ipv4_tos = I == NULL ? 0 : I->ipha_type_of_service;
  ipv4_length = I == NULL ? 0 : ntohs(I->ipha_length);
  ipv4_ident = I == NULL ? 0 : ntohs(I->ipha_ident);
  ipv4_flags = I == NULL ? 0 : ntohs(I->ipha_fragment_offset_and_flags) >> 12;
  ipv4_offset = I == NULL ? 0 : ntohs(I->ipha_fragment_offset_and_flags) & 0x0fff;
  ipv4_ttl = I == NULL ? 0 : I->ipha_ttl;
  ipv4_protocol = I == NULL ? 0 : I->ipha_protocol;
  ipv4_protostr = I == NULL ? "<null>" :
      I->ipha_protocol == IPPROTO_TCP ? "TCP" : I->ipha_protocol == IPPROTO_UDP ? "UDP" : I->ipha_protocol == IPPROTO_IP ? "IP" :
      I->ipha_protocol == IPPROTO_ICMP ? "ICMP" : I->ipha_protocol == IPPROTO_IGMP ? "IGMP" : I->ipha_protocol == IPPROTO_EGP ? "EGP" :
      I->ipha_protocol == IPPROTO_IPV6 ? "IPv6" : I->ipha_protocol == IPPROTO_ROUTING ? "ROUTE" : I->ipha_protocol == IPPROTO_ESP ? "ESP" :
      I->ipha_protocol == IPPROTO_AH ? "AH" : I->ipha_protocol == IPPROTO_ICMPV6 ? "ICMPv6" : I->ipha_protocol == IPPROTO_OSPF ? "OSPF" :
      I->ipha_protocol == IPPROTO_SCTP ? "SCTP" : I->ipha_protocol == IPPROTO_RAW ? "RAW" : lltostr((uint64_t)I->ipha_protocol);
  ipv4_checksum = I == NULL ? 0 : ntohs(I->ipha_hdr_checksum);
  ipv4_src = I == NULL ? 0 : I->ipha_src;
  ipv4_dst = I == NULL ? 0 : I->ipha_dst;
  ipv4_saddr = I == NULL ? "<null>" : inet_ntoa(&I->ipha_src);
  ipv4_daddr = I == NULL ? "<null>" : inet_ntoa(&I->ipha_dst);
  ipv4_hdr = I;
};
translator ipv6info_t < ip6_t *I > {
  ipv6_ver = I == NULL ? 0 : I->ip6_ctlun.ip6_un2_vfc >> 4;
  ipv6_tclass = I == NULL ? 0 : (ntohl(I->ip6_ctlun.ip6_un1.ip6_un1_flow) & 0x0fffffff) >> 20;
  ipv6_flow = I == NULL ? 0 : ntohl(I->ip6_ctlun.ip6_un1.ip6_un1_flow) & 0x000fffff;
  ipv6_plen = I == NULL ? 0 : ntohs(I->ip6_ctlun.ip6_un1.ip6_un1_plen);
  ipv6_nexthdr = I == NULL ? 0 : I->ip6_ctlun.ip6_un1.ip6_un1_nxt;
  ipv6_nextstr = I == NULL ? "<null>" :
      I->ip6_ctlun.ip6_un1.ip6_un1_nxt == IPPROTO_TCP ? "TCP" : I->ip6_ctlun.ip6_un1.ip6_un1_nxt == IPPROTO_UDP ? "UDP" : I->ip6_ctlun.ip6_un1.ip6_un1_nxt == IPPROTO_IP ? "IP" :
      I->ip6_ctlun.ip6_un1.ip6_un1_nxt == IPPROTO_ICMP ? "ICMP" : I->ip6_ctlun.ip6_un1.ip6_un1_nxt == IPPROTO_IGMP ? "IGMP" : I->ip6_ctlun.ip6_un1.ip6_un1_nxt == IPPROTO_EGP ? "EGP" :
      I->ip6_ctlun.ip6_un1.ip6_un1_nxt == IPPROTO_IPV6 ? "IPv6" : I->ip6_ctlun.ip6_un1.ip6_un1_nxt == IPPROTO_ROUTING ? "ROUTE" : I->ip6_ctlun.ip6_un1.ip6_un1_nxt == IPPROTO_ESP ? "ESP" :
      I->ip6_ctlun.ip6_un1.ip6_un1_nxt == IPPROTO_AH ? "AH" : I->ip6_ctlun.ip6_un1.ip6_un1_nxt == IPPROTO_ICMPV6 ? "ICMPv6" : I->ip6_ctlun.ip6_un1.ip6_un1_nxt == IPPROTO_OSPF ? "OSPF" :
      I->ip6_ctlun.ip6_un1.ip6_un1_nxt == IPPROTO_SCTP ? "SCTP" : I->ip6_ctlun.ip6_un1.ip6_un1_nxt == IPPROTO_RAW ? "RAW" : lltostr((uint64_t)I->ip6_ctlun.ip6_un1.ip6_un1_nxt);
  ipv6_hlim = I == NULL ? 0 : I->ip6_ctlun.ip6_un1.ip6_un1_hlim;
  ipv6_src = I == NULL ? 0 : &I->ip6_src;
  ipv6_dst = I == NULL ? 0 : &I->ip6_dst;
  ipv6_saddr = I == NULL ? "<null>" : inet_ntoa6(&I->ip6_src);
  ipv6_daddr = I == NULL ? "<null>" : inet_ntoa6(&I->ip6_dst);
  ipv6_hdr = I;
};

/* TCP: segments and connections. */
inline int TH_FIN = 0x1;
#pragma D binding "1.6.3" TH_FIN
inline int TH_SYN = 0x2;
#pragma D binding "1.6.3" TH_SYN
inline int TH_RST = 0x4;
#pragma D binding "1.6.3" TH_RST
inline int TH_PUSH = 0x8;
#pragma D binding "1.6.3" TH_PUSH
inline int TH_ACK = 0x10;
#pragma D binding "1.6.3" TH_ACK
inline int TH_URG = 0x20;
#pragma D binding "1.6.3" TH_URG
inline int TH_ECE = 0x40;
#pragma D binding "1.6.3" TH_ECE
inline int TH_CWR = 0x80;
#pragma D binding "1.6.3" TH_CWR
inline int32_t TCP_STATE_CLOSED = -6;
#pragma D binding "1.6.3" TCP_STATE_CLOSED
inline int32_t TCP_STATE_IDLE = -5;
#pragma D binding "1.6.3" TCP_STATE_IDLE
inline int32_t TCP_STATE_BOUND = -4;
#pragma D binding "1.6.3" TCP_STATE_BOUND
inline int32_t TCP_STATE_LISTEN = -3;
#pragma D binding "1.6.3" TCP_STATE_LISTEN
inline int32_t TCP_STATE_SYN_SENT = -2;
#pragma D binding "1.6.3" TCP_STATE_SYN_SENT
inline int32_t TCP_STATE_SYN_RECEIVED = -1;
#pragma D binding "1.6.3" TCP_STATE_SYN_RECEIVED
inline int32_t TCP_STATE_ESTABLISHED = 0;
#pragma D binding "1.6.3" TCP_STATE_ESTABLISHED
inline int32_t TCP_STATE_CLOSE_WAIT = 1;
#pragma D binding "1.6.3" TCP_STATE_CLOSE_WAIT
inline int32_t TCP_STATE_FIN_WAIT_1 = 2;
#pragma D binding "1.6.3" TCP_STATE_FIN_WAIT_1
inline int32_t TCP_STATE_CLOSING = 3;
#pragma D binding "1.6.3" TCP_STATE_CLOSING
inline int32_t TCP_STATE_LAST_ACK = 4;
#pragma D binding "1.6.3" TCP_STATE_LAST_ACK
inline int32_t TCP_STATE_FIN_WAIT_2 = 5;
#pragma D binding "1.6.3" TCP_STATE_FIN_WAIT_2
inline int32_t TCP_STATE_TIME_WAIT = 6;
#pragma D binding "1.6.3" TCP_STATE_TIME_WAIT

inline string tcp_state_string[int32_t state] =
  state == TCP_STATE_CLOSED ? "state-closed" :
  state == TCP_STATE_IDLE ? "state-idle" :
  state == TCP_STATE_BOUND ? "state-bound" :
  state == TCP_STATE_LISTEN ? "state-listen" :
  state == TCP_STATE_SYN_SENT ? "state-syn-sent" :
  state == TCP_STATE_SYN_RECEIVED ? "state-syn-received" :
  state == TCP_STATE_ESTABLISHED ? "state-established" :
  state == TCP_STATE_CLOSE_WAIT ? "state-close-wait" :
  state == TCP_STATE_FIN_WAIT_1 ? "state-fin-wait-1" :
  state == TCP_STATE_CLOSING ? "state-closing" :
  state == TCP_STATE_LAST_ACK ? "state-last-ack" :
  state == TCP_STATE_FIN_WAIT_2 ? "state-fin-wait-2" :
  state == TCP_STATE_TIME_WAIT ? "state-time-wait" :
  "<unknown>";
#pragma D binding "1.6.3" tcp_state_string

typedef struct tcpinfo {
  uint16_t tcp_sport; uint16_t tcp_dport; uint32_t tcp_seq; uint32_t tcp_ack; uint8_t tcp_offset; uint8_t tcp_flags;
  uint16_t tcp_window; uint16_t tcp_checksum; uint16_t tcp_urgent; tcph_t *tcp_hdr;
} tcpinfo_t;
typedef struct tcpsinfo {
  uintptr_t tcps_addr; int tcps_local; int tcps_active; uint16_t tcps_lport; uint16_t tcps_rport; string tcps_laddr;
  string tcps_raddr; int32_t tcps_state; uint32_t tcps_iss; uint32_t tcps_suna; uint32_t tcps_snxt; uint32_t tcps_rack;
  uint32_t tcps_rnxt; uint32_t tcps_swnd; int32_t tcps_snd_ws; uint32_t tcps_rwnd; int32_t tcps_rcv_ws; uint32_t tcps_cwnd;
  uint32_t tcps_cwnd_ssthresh; uint32_t tcps_sack_fack; uint32_t tcps_sack_snxt; uint32_t tcps_rto; uint32_t tcps_mss;
  int tcps_retransmit;
} tcpsinfo_t;
typedef struct tcplsinfo { int32_t tcps_state; } tcplsinfo_t;

translator tcpinfo_t < tcph_t *T > {
  tcp_sport = ntohs(*(uint16_t *)T->th_lport);
  tcp_dport = ntohs(*(uint16_t *)T->th_fport);
  tcp_seq = ntohl(*(uint32_t *)T->th_seq);
  tcp_ack = ntohl(*(uint32_t *)T->th_ack);
  tcp_offset = (*(uint8_t *)T->th_offset_and_rsrvd & 0xf0) >> 2;
  tcp_flags = *(uint8_t *)T->th_flags;
  tcp_window = ntohs(*(uint16_t *)T->th_win);
  tcp_checksum = ntohs(*(uint16_t *)T->th_sum);
  tcp_urgent = ntohs(*(uint16_t *)T->th_urp);
  tcp_hdr = T;
};
translator tcpsinfo_t < tcp_t *T > {
  tcps_addr = (uintptr_t)T;
  tcps_local = T == NULL ? 0 : T->tcp_ipha == NULL ? 1 : T->tcp_ipha->ipha_src == T->tcp_ipha->ipha_dst;
  tcps_active = T == NULL ? 0 : T->tcp_saved_listener == NULL;
  tcps_lport = T == NULL ? 0 : ntohs(T->tcp_connp->u_port.connu_ports.connu_lport);
  tcps_rport = T == NULL ? 0 : ntohs(T->tcp_connp->u_port.connu_ports.connu_fport);
  tcps_laddr = T == NULL ? "<unknown>" : inet_ntoa6(&T->tcp_connp->connua_v6addr.connua_laddr);
  tcps_raddr = T == NULL ? "<unknown>" : inet_ntoa6(&T->tcp_connp->connua_v6addr.connua_faddr);
  tcps_state = T == NULL ? TCP_STATE_CLOSED : T->tcp_state;
  tcps_iss = T == NULL ? 0 : T->tcp_iss;
  tcps_suna = T == NULL ? 0 : T->tcp_suna;
  tcps_snxt = T == NULL ? 0 : T->tcp_snxt;
  tcps_rack = T == NULL ? 0 : T->tcp_rack;
  tcps_rnxt = T == NULL ? 0 : T->tcp_rnxt;
  tcps_swnd = T == NULL ? 0 : T->tcp_swnd;
  tcps_snd_ws = T == NULL ? 0 : T->tcp_snd_ws;
  tcps_rwnd = T == NULL ? 0 : T->tcp_rwnd;
  tcps_rcv_ws = T == NULL ? 0 : T->tcp_rcv_ws;
  tcps_cwnd = T == NULL ? 0 : T->tcp_cwnd;
  tcps_cwnd_ssthresh = T == NULL ? 0 : T->tcp_cwnd_ssthresh;
  tcps_sack_fack = T == NULL ? 0 : T->tcp_sack_info.tcp_fack;
  tcps_sack_snxt = T == NULL ? 0 : T->tcp_sack_info.tcp_sack_snxt;
  tcps_rto = T == NULL ? 0 : T->tcp_rto;
  tcps_mss = T == NULL ? 0 : T->tcp_mss;
  tcps_retransmit = T != NULL && probename == "send" && arg4 != NULL &&
      ntohl(*(uint32_t *)((tcph_t *)arg4)->th_seq) >= T->tcp_rexmit_nxt &&
      ntohl(*(uint32_t *)((tcph_t *)arg4)->th_seq) < T->tcp_rexmit_max;
};
translator tcplsinfo_t < int64_t I > { tcps_state = (int32_t)I; };

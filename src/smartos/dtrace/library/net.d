/* Networks in general. */
inline int AF_INET = 2;
#pragma D binding "1.0" AF_INET
inline int AF_INET6 = 26;
#pragma D binding "1.0" AF_INET6

typedef struct conninfo {
  string ci_local; string ci_remote; string ci_protocol;
} conninfo_t;

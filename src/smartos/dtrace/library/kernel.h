/* Types of the kernel, as far as D programs look into them: the real names of structures and members, laid out as C
   lays out what is written here. Members that nobody reads are left out, so offsets are not the real kernel's. */
typedef char *caddr_t;
typedef unsigned long dev_t;
typedef unsigned int major_t;
typedef unsigned int minor_t;
typedef long off_t;
typedef long long offset_t;
typedef unsigned int uid_t;
typedef unsigned int gid_t;
typedef int zoneid_t;
typedef int projid_t;
typedef int taskid_t;
typedef int poolid_t;
typedef int ctid_t;
typedef int pri_t;
typedef int processorid_t;
typedef int psetid_t;
typedef int chipid_t;
typedef int lgrp_id_t;
typedef int cpuid_t;
typedef unsigned int kt_did_t;
typedef unsigned int id32_t;
typedef unsigned long pfn_t;
typedef unsigned long pgcnt_t;
typedef long time_t;
typedef long clock_t;
typedef long long hrtime_t;
typedef long daddr_t;
typedef unsigned long ino_t;
typedef unsigned int mode_t;
typedef long diskaddr_t;
typedef int boolean_t;
typedef unsigned int netstackid_t;
typedef unsigned int ipaddr_t;
typedef unsigned short in_port_t;
typedef unsigned int model_t;
typedef unsigned long pc_t;
typedef unsigned long gpa_t;
typedef unsigned int tcp_seq;
typedef unsigned char lock_t;
struct timespec { time_t tv_sec; long tv_nsec; };
typedef struct timespec timespec_t;
typedef struct timespec timestruc_t;
struct timeval { long tv_sec; long tv_usec; };
typedef struct mutex { void *_opaque[1]; } kmutex_t;
typedef struct _krwlock { void *_opaque[1]; } krwlock_t;
struct var { int v_buf; int v_call; int v_proc; int v_maxupttl; int v_nglobpris; int v_maxsyspri; int v_clist; int v_maxup;
  int v_hbuf; int v_hmask; int v_pbuf; int v_sptmap; int v_maxpmem; int v_autoup; int v_bufhwm; };
typedef struct _kcondvar { ushort_t _opaque; } kcondvar_t;
typedef struct _ksema { void *_opaque[2]; } ksema_t;
typedef struct avl_tree { void *avl_root; uint64_t avl_numnodes; } avl_tree_t;
typedef struct list_node { struct list_node *list_next; struct list_node *list_prev; } list_node_t;
typedef struct list { size_t list_size; size_t list_offset; struct list_node list_head; } list_t;

struct ddi_minor {
  char *name; dev_t dev; int spec_type; int flags; char *node_type; void *node_priv; mode_t priv_mode;
};
struct ddi_minor_data { struct ddi_minor_data *next; struct dev_info *dip; int type; struct ddi_minor d_minor; };
struct dev_info {
  struct dev_info *devi_parent; struct dev_info *devi_child; struct dev_info *devi_sibling; char *devi_binding_name;
  char *devi_addr; int devi_nodeid; int devi_instance; major_t devi_major; char *devi_node_name;
  struct ddi_minor_data *devi_minor; int devi_node_state; char *devi_statname; char *devi_path;
};
struct devnames { char *dn_name; struct dev_info *dn_head; int dn_instlist; int dn_flags; };

typedef struct buf {
  int b_flags; struct buf *b_forw; struct buf *b_back; struct buf *av_forw; struct buf *av_back; size_t b_bcount;
  union { caddr_t b_addr; struct fs *b_fs; void *b_words; } b_un;
  union { long long _f; struct { int _l; int _u; } _p; } _b_blkno;
  size_t b_resid; clock_t b_start; struct proc *b_proc; struct page *b_pages; size_t b_bufsize;
  int (*b_iodone)(struct buf *); struct vnode *b_vp; int b_error; dev_t b_edev; struct vnode *b_file; offset_t b_offset;
  struct dev_info *b_dip; void *b_private;
} buf_t;

typedef struct vnodeops { const char *vnop_name; } vnodeops_t;
typedef struct vfs {
  struct vfs *vfs_next; struct vfs *vfs_prev; struct vnode *vfs_vnodecovered; uint_t vfs_flag; uint_t vfs_bsize;
  int vfs_fstype; dev_t vfs_dev; void *vfs_data; struct zone *vfs_zone; struct refstr *vfs_mntpt;
} vfs_t;
typedef struct refstr { uint32_t rs_size; uint32_t rs_refcnt; char rs_string[256]; } refstr_t;
typedef void cyc_func_t(void *);
union sigval { int sival_int; void *sival_ptr; };
enum uio_rw { UIO_READ, UIO_WRITE };
typedef struct vnode {
  kmutex_t v_lock; uint_t v_flag; uint_t v_count; void *v_data; struct vfs *v_vfsp; void *v_stream; int v_type;
  dev_t v_rdev; struct vfs *v_vfsmountedhere; struct vnodeops *v_op; struct page *v_pages; char *v_path;
} vnode_t;
typedef struct file {
  kmutex_t f_tlock; ushort_t f_flag; ushort_t f_flag2; struct vnode *f_vnode; offset_t f_offset; struct cred *f_cred;
  int f_count;
} file_t;

struct pid { uint_t pid_prinactive; uint_t pid_ref; pid_t pid_id; };
struct vmem; struct fs; struct page; struct as; struct sigqueue; struct cyclic; struct squeue; struct pool_t;
typedef struct as { kmutex_t a_contents; size_t a_size; size_t a_resvsize; } as_t;
typedef struct sess { uint_t s_ref; boolean_t s_exit; struct pid *s_sidp; dev_t s_dev; struct vnode *s_vp; } sess_t;
typedef struct zone {
  char *zone_name; char *zone_nodename; zoneid_t zone_id; char *zone_rootpath; struct vnode *zone_rootvp; int zone_ntasks;
  int zone_nprocs; int zone_status; uint64_t zone_did;
} zone_t;
typedef struct cred {
  uint_t cr_ref; uid_t cr_uid; gid_t cr_gid; uid_t cr_ruid; gid_t cr_rgid; uid_t cr_suid; gid_t cr_sgid; projid_t cr_projid;
  struct zone *cr_zone;
} cred_t;
typedef struct kproject { uint_t kpj_ref; projid_t kpj_id; zoneid_t kpj_zoneid; } kproject_t;
typedef struct task { taskid_t tk_tkid; uint_t tk_hold_count; struct kproject *tk_proj; struct zone *tk_zone; } task_t;
typedef struct pool { poolid_t pool_id; } pool_t;
typedef struct contract { ctid_t ct_id; } contract_t;
typedef struct cont_process { struct contract conp_contract; } cont_process_t;
typedef struct uf_entry { kmutex_t uf_lock; struct file *uf_file; void *uf_fpollinfo; int uf_refcnt; int uf_alloc; short uf_flag; short uf_busy; } uf_entry_t;
typedef struct uf_info { kmutex_t fi_lock; int fi_badfd; int fi_action; int fi_nfiles; struct uf_entry *fi_list; } uf_info_t;
typedef struct sigaltstack { void *ss_sp; size_t ss_size; int ss_flags; } stack_t;
typedef struct sigaltstack32 { uint32_t ss_sp; uint32_t ss_size; int ss_flags; } stack32_t;
typedef struct user {
  timestruc_t u_start; clock_t u_ticks; char u_comm[17]; char u_psargs[80]; int u_argc; uintptr_t u_argv; uintptr_t u_envp;
  struct vnode *u_cdir; struct vnode *u_rdir; mode_t u_cmask; int u_nofiles; ushort_t u_acflag; int u_systrap;
  struct uf_info u_finfo;
} user_t;
typedef struct proc {
  struct vnode *p_exec; struct as *p_as; struct plock *p_lockp; struct cred *p_cred; char p_stat; char p_wcode;
  ushort_t p_pidflag; int p_wdata; pid_t p_ppid; struct proc *p_link; struct proc *p_parent; struct proc *p_child;
  struct proc *p_sibling; struct proc *p_next; struct pid *p_pidp; struct pid *p_pgidp; uint_t p_flag; uint_t p_proc_flag;
  struct sess *p_sessp; clock_t p_utime; clock_t p_stime; clock_t p_cutime; clock_t p_cstime; int p_lwpcnt; int p_lwprcnt;
  struct _kthread *p_tlist; struct _kthread *p_agenttp; struct task *p_task; struct pool *p_pool; struct zone *p_zone;
  struct cont_process *p_ct_process; model_t p_model; caddr_t p_brkbase; size_t p_brksize; size_t p_stksize;
  timestruc_t p_start; hrtime_t p_mstart; int p_swapcnt; struct user p_user; struct kproject *p_proj; int p_dtrace_count;
} proc_t;
struct plock { kmutex_t pl_lock; };
struct lgrp_ld { lgrp_id_t lpl_lgrpid; int lpl_ncpu; };
typedef struct lgrp_ld lpl_t;
typedef struct _sobj_ops { int sobj_type; } sobj_ops_t;
typedef struct lwpchan { caddr_t lc_wchan0; caddr_t lc_wchan; } lwpchan_t;
typedef struct _disp { lock_t disp_lock; pri_t disp_npri; pri_t disp_maxrunpri; pri_t disp_max_unbound_pri; int disp_nrunnable; struct cpu *disp_cpu; } disp_t;
typedef struct processor_info { int pi_state; char pi_processor_type[16]; char pi_fputypes[32]; int pi_clock; } processor_info_t;
struct cpupart { psetid_t cp_id; int cp_ncpus; };
typedef struct cpu_physid { chipid_t cpu_chipid; } cpu_physid_t;
typedef struct cpu {
  processorid_t cpu_id; processorid_t cpu_seqid; ushort_t cpu_flags; struct cpu *cpu_self; struct _kthread *cpu_thread;
  struct _kthread *cpu_idle_thread; struct _kthread *cpu_pause_thread; void *cpu_lwp; struct cpu *cpu_next;
  struct cpu *cpu_next_onln; struct cpupart *cpu_part; struct lgrp_ld *cpu_lpl; struct _disp *cpu_disp; char cpu_runrun;
  char cpu_kprunrun; pri_t cpu_dispatch_pri; struct processor_info cpu_type_info; struct cpu_physid *cpu_physid;
  int cpu_intr_actv; uint64_t cpu_dtrace_probes; uint64_t cpu_dtrace_nsec; pc_t cpu_profile_pc; pc_t cpu_profile_upc;
} cpu_t;
typedef struct _klwp { int lwp_eosys; int lwp_asleep; struct _kthread *lwp_thread; struct proc *lwp_procp; char lwp_error; uintptr_t lwp_ustack; } klwp_t;
typedef struct _kthread {
  struct _kthread *t_link; caddr_t t_stk; void (*t_startpc)(void); struct cpu *t_bound_cpu; short t_affinitycnt;
  short t_bind_cpu; ushort_t t_flag; ushort_t t_proc_flag; ushort_t t_schedflag; char t_preempt; uint_t t_state; pri_t t_pri;
  pri_t t_epri; pri_t t_cpri; char t_writer; uchar_t t_bindflag; uint_t t_cid; void *t_cldata; lwpchan_t t_lwpchan;
  struct _sobj_ops *t_sobj_ops; id_t t_tid; kt_did_t t_did; struct cpu *t_cpu; struct lgrp_ld *t_lpl; struct _klwp *t_lwp;
  struct proc *t_procp; struct _kthread *t_forw; struct _kthread *t_back; struct _kthread *t_next; struct _kthread *t_prev;
  struct cred *t_cred; short t_sysnum; hrtime_t t_waitrq; struct pctxop *t_ctx; psetid_t t_bind_pset; int t_intr; char *t_name;
  uint64_t t_dtrace_vtime; uint64_t t_dtrace_start; uint8_t t_dtrace_sig; uint8_t t_dtrace_stop; int t_errno;
} kthread_t;
struct pctxop;
typedef struct sclass { char *cl_name; void *cl_init; void *cl_funcs; } sclass_t;
typedef struct siginfo { int si_signo; int si_code; int si_errno; int si_pad; pid_t si_pid; uid_t si_uid; int si_status; caddr_t si_addr; } siginfo_t;
typedef struct kmem_cache { char cache_name[32]; size_t cache_bufsize; size_t cache_align; } kmem_cache_t;
struct k_anoninfo { pgcnt_t ani_max; pgcnt_t ani_free; pgcnt_t ani_phys_resv; pgcnt_t ani_mem_resv; pgcnt_t ani_locked_swap; };
struct utsname { char sysname[257]; char nodename[257]; char release[257]; char version[257]; char machine[257]; };
typedef struct uio { void *uio_iov; int uio_iovcnt; offset_t uio_loffset; int uio_segflg; size_t uio_resid; } uio_t;

typedef struct datab { uchar_t *db_base; uchar_t *db_lim; uchar_t db_ref; uchar_t db_type; } dblk_t;
typedef struct msgb { struct msgb *b_next; struct msgb *b_prev; struct msgb *b_cont; uchar_t *b_rptr; uchar_t *b_wptr; struct datab *b_datap; uchar_t b_band; ushort_t b_flag; } mblk_t;
struct in_addr { uint32_t _S_addr; };
struct sockaddr { ushort_t sa_family; char sa_data[14]; };
struct sockaddr_in { ushort_t sin_family; ushort_t sin_port; struct in_addr sin_addr; char sin_zero[8]; };
typedef struct in6_addr { union { uint8_t _S6_u8[16]; uint32_t _S6_u32[4]; } _S6_un; } in6_addr_t;
struct sockaddr_in6 { ushort_t sin6_family; ushort_t sin6_port; uint32_t sin6_flowinfo; struct in6_addr sin6_addr; uint32_t sin6_scope_id; uint32_t __sin6_src_id; };
typedef struct netstack { netstackid_t netstack_stackid; } netstack_t;
typedef struct ip_stack { struct netstack *ips_netstack; } ip_stack_t;
typedef struct ill_s { char *ill_name; struct ip_stack *ill_ipst; } ill_t;
typedef struct ipha_s {
  uint8_t ipha_version_and_hdr_length; uint8_t ipha_type_of_service; uint16_t ipha_length; uint16_t ipha_ident;
  uint16_t ipha_fragment_offset_and_flags; uint8_t ipha_ttl; uint8_t ipha_protocol; uint16_t ipha_hdr_checksum;
  ipaddr_t ipha_src; ipaddr_t ipha_dst;
} ipha_t;
struct ip6_hdrctl { uint32_t ip6_un1_flow; uint16_t ip6_un1_plen; uint8_t ip6_un1_nxt; uint8_t ip6_un1_hlim; };
typedef struct ip6_hdr { union { struct ip6_hdrctl ip6_un1; uint8_t ip6_un2_vfc; } ip6_ctlun; struct in6_addr ip6_src; struct in6_addr ip6_dst; } ip6_t;
struct connu_ports { in_port_t connu_fport; in_port_t connu_lport; };
typedef struct conn_s {
  uint8_t conn_ipversion; union { struct connu_ports connu_ports; uint32_t conn_ports; } u_port;
  struct { struct in6_addr connua_laddr; struct in6_addr connua_faddr; } connua_v6addr; zoneid_t conn_zoneid; pid_t conn_cpid;
} conn_t;
typedef struct ip_xmit_attr_s { uint64_t ixa_conn_id; pid_t ixa_cpid; zoneid_t ixa_zoneid; struct ip_stack *ixa_ipst; struct cred *ixa_cred; } ip_xmit_attr_t;
struct sack_info { tcp_seq tcp_fack; tcp_seq tcp_sack_snxt; };
typedef struct tcp_s {
  int32_t tcp_state; int32_t tcp_rcv_ws; int32_t tcp_snd_ws; uint32_t tcp_iss; uint32_t tcp_irs; uint32_t tcp_suna;
  uint32_t tcp_snxt; uint32_t tcp_swnd; uint32_t tcp_mss; uint32_t tcp_rnxt; uint32_t tcp_rwnd; uint32_t tcp_rack;
  uint32_t tcp_cwnd; uint32_t tcp_cwnd_ssthresh; uint32_t tcp_rto; uint32_t tcp_rexmit_nxt; uint32_t tcp_rexmit_max;
  uint32_t tcp_last_sent_len; uint32_t tcp_last_recv_len; struct sack_info tcp_sack_info; struct conn_s *tcp_connp;
  struct tcp_s *tcp_saved_listener; struct ipha_s *tcp_ipha;
} tcp_t;
typedef struct tcphdr_s {
  uint8_t th_lport[2]; uint8_t th_fport[2]; uint8_t th_seq[4]; uint8_t th_ack[4]; uint8_t th_offset_and_rsrvd[1];
  uint8_t th_flags[1]; uint8_t th_win[2]; uint8_t th_sum[2]; uint8_t th_urp[2];
} tcph_t;
typedef struct udp_s { struct conn_s *udp_connp; } udp_t;
typedef struct udphdr_s { in_port_t uha_src_port; in_port_t uha_dst_port; uint16_t uha_length; uint16_t uha_checksum; } udpha_t;
typedef struct sysevent_impl { uint32_t se_flag; char se_class_name[64]; char se_subclass_name[64]; char se_pub[64]; } sysevent_impl_t;
typedef struct evch_chan { char *ch_name; } evch_chan_t;
typedef struct evch_bind { struct evch_chan *bd_channel; } evch_bind_t;

typedef struct dva { uint64_t dva_word[2]; } dva_t;
typedef struct zio_cksum { uint64_t zc_word[4]; } zio_cksum_t;
typedef struct blkptr { struct dva blk_dva[3]; uint64_t blk_prop; uint64_t blk_pad[2]; uint64_t blk_phys_birth; uint64_t blk_birth; uint64_t blk_fill; struct zio_cksum blk_cksum; } blkptr_t;
typedef struct zbookmark { uint64_t zb_objset; uint64_t zb_object; int64_t zb_level; uint64_t zb_blkid; } zbookmark_t;
typedef enum vdev_state { VDEV_STATE_UNKNOWN, VDEV_STATE_CLOSED, VDEV_STATE_OFFLINE, VDEV_STATE_REMOVED, VDEV_STATE_CANT_OPEN, VDEV_STATE_FAULTED, VDEV_STATE_DEGRADED, VDEV_STATE_HEALTHY } vdev_state_t;
typedef enum vdev_aux { VDEV_AUX_NONE, VDEV_AUX_OPEN_FAILED, VDEV_AUX_CORRUPT_DATA, VDEV_AUX_NO_REPLICAS, VDEV_AUX_BAD_GUID_SUM, VDEV_AUX_TOO_SMALL, VDEV_AUX_BAD_LABEL, VDEV_AUX_VERSION_NEWER, VDEV_AUX_VERSION_OLDER, VDEV_AUX_SPARED, VDEV_AUX_ERR_EXCEEDED, VDEV_AUX_IO_FAILURE, VDEV_AUX_BAD_LOG } vdev_aux_t;
typedef enum vdev_dtl_type { DTL_MISSING, DTL_PARTIAL, DTL_SCRUB, DTL_OUTAGE, DTL_TYPES } vdev_dtl_type_t;
typedef enum zio_type { ZIO_TYPE_NULL, ZIO_TYPE_READ, ZIO_TYPE_WRITE, ZIO_TYPE_FREE, ZIO_TYPE_CLAIM, ZIO_TYPE_IOCTL, ZIO_TYPES } zio_type_t;
typedef enum dd_used { DD_USED_HEAD, DD_USED_SNAP, DD_USED_CHILD, DD_USED_CHILD_RSRV, DD_USED_REFRSRV, DD_USED_NUM } dd_used_t;
typedef enum pool_scan_func { POOL_SCAN_NONE, POOL_SCAN_SCRUB, POOL_SCAN_RESILVER, POOL_SCAN_FUNCS } pool_scan_func_t;
typedef int dmu_object_type_t;
typedef struct vdev_ops { char *vdev_op_type; boolean_t vdev_op_leaf; } vdev_ops_t;
typedef struct vdev_stat { uint64_t vs_ops[3]; uint64_t vs_bytes[3]; uint64_t vs_read_errors; uint64_t vs_write_errors; uint64_t vs_checksum_errors; uint64_t vs_self_healed; uint64_t vs_scan_processed; } vdev_stat_t;
typedef struct vdev {
  uint64_t vdev_id; uint64_t vdev_guid; uint64_t vdev_asize; uint64_t vdev_ashift; vdev_state_t vdev_state; struct vdev_ops *vdev_ops;
  struct spa *vdev_spa; struct vdev *vdev_top; struct vdev *vdev_parent; uint64_t vdev_children; vdev_stat_t vdev_stat; char *vdev_path;
} vdev_t;
typedef struct uberblock { uint64_t ub_magic; uint64_t ub_version; uint64_t ub_txg; uint64_t ub_guid_sum; uint64_t ub_timestamp; struct blkptr ub_rootbp; } uberblock_t;
typedef struct spa {
  char spa_name[256]; uint64_t spa_load_guid; struct dsl_pool *spa_dsl_pool; struct vdev *spa_root_vdev; struct uberblock spa_uberblock;
  uint64_t spa_syncing_txg; uint64_t spa_first_txg; uint64_t spa_final_txg; int spa_sync_pass; int spa_state;
} spa_t;
typedef struct zio { zio_type_t io_type; int io_child_type; uint64_t io_txg; struct spa *io_spa; struct blkptr *io_bp; struct vdev *io_vd; uint64_t io_offset; uint64_t io_size; int io_priority; int io_flags; int io_error; void *io_data; zbookmark_t io_bookmark; } zio_t;
typedef struct zio_bad_cksum { struct zio_cksum zbc_expected; struct zio_cksum zbc_actual; const char *zbc_checksum_name; } zio_bad_cksum_t;
typedef struct raidz_col { uint64_t rc_devidx; uint64_t rc_offset; uint64_t rc_size; void *rc_data; int rc_error; uint8_t rc_tried; uint8_t rc_skipped; } raidz_col_t;
typedef struct raidz_map { uint64_t rm_cols; uint64_t rm_scols; uint64_t rm_bigcols; uint64_t rm_asize; uint64_t rm_missingdata; uint64_t rm_missingparity; uint64_t rm_firstdatacol; uint64_t rm_skipstart; } raidz_map_t;
typedef struct metaslab { uint64_t ms_map_start; uint64_t ms_map_size; uint64_t ms_weight; uint64_t ms_id; } metaslab_t;
typedef struct arc_state { uint64_t arcs_size; uint64_t arcs_lsize[2]; } arc_state_t;
typedef struct arc_buf_hdr { struct dva b_dva; uint64_t b_birth; uint64_t b_cksum0; uint32_t b_flags; uint32_t b_datacnt; uint64_t b_size; struct arc_state *b_state; clock_t b_arc_access; int64_t b_refcnt; } arc_buf_hdr_t;
typedef struct dsl_pool { struct spa *dp_spa; struct objset *dp_meta_objset; struct dsl_dir *dp_root_dir; uint64_t dp_tmp_userrefs_obj; } dsl_pool_t;
typedef struct dsl_dir { uint64_t dd_object; struct dsl_pool *dd_pool; struct dsl_dir *dd_parent; char dd_myname[256]; } dsl_dir_t;
typedef struct dsl_dataset { struct objset *ds_objset; struct dsl_dir *ds_dir; struct dsl_dataset *ds_prev; uint64_t ds_object; uint64_t ds_fsid_guid; uint64_t ds_quota; uint64_t ds_reserved; char ds_snapname[256]; } dsl_dataset_t;
typedef struct objset { struct dsl_dataset *os_dsl_dataset; struct spa *os_spa; uint64_t os_obj_next; int os_phys_type; } objset_t;
typedef struct dnode { struct objset *dn_objset; uint64_t dn_object; uint8_t dn_type; uint16_t dn_bonuslen; uint8_t dn_nblkptr; uint8_t dn_nlevels; uint32_t dn_datablksz; uint64_t dn_maxblkid; } dnode_t;
typedef struct dmu_tx { uint64_t tx_txg; struct objset *tx_objset; struct dsl_pool *tx_pool; } dmu_tx_t;
typedef struct bpobj { struct objset *bpo_os; uint64_t bpo_object; int bpo_epb; boolean_t bpo_havecomp; } bpobj_t;
typedef struct dsl_deadlist { struct objset *dl_os; uint64_t dl_object; boolean_t dl_oldfmt; } dsl_deadlist_t;
typedef struct dsl_scan { struct dsl_pool *scn_dp; boolean_t scn_pausing; uint64_t scn_restart_txg; } dsl_scan_t;
typedef struct dsl_sync_task_group { struct dsl_pool *dstg_pool; uint64_t dstg_txg; int dstg_err; int dstg_space; } dsl_sync_task_group_t;
struct drr_begin { uint64_t drr_magic; uint64_t drr_versioninfo; uint64_t drr_creation_time; int drr_type; uint32_t drr_flags; uint64_t drr_toguid; uint64_t drr_fromguid; char drr_toname[256]; };
struct drr_object { uint64_t drr_object; uint32_t drr_type; uint32_t drr_bonustype; uint32_t drr_blksz; uint32_t drr_bonuslen; uint64_t drr_toguid; };
struct drr_freeobjects { uint64_t drr_firstobj; uint64_t drr_numobjs; uint64_t drr_toguid; };
struct drr_write { uint64_t drr_object; uint32_t drr_type; uint32_t drr_pad; uint64_t drr_offset; uint64_t drr_length; uint64_t drr_toguid; };
struct drr_free { uint64_t drr_object; uint64_t drr_offset; uint64_t drr_length; uint64_t drr_toguid; };
struct restorearg { int err; boolean_t byteswap; uint64_t voff; };
struct backuparg { uint64_t voff; uint64_t objset; int err; };

struct kvm { int users_count; int online_vcpus; uint64_t kvmid; };
struct kvm_vcpu { int cpu; int vcpu_id; struct kvm *kvm; int mode; uint64_t requests; };
struct kvm_mmu_page { uint64_t gfn; int root_count; uint8_t unsync; };
struct vcpu_vmx { struct kvm_vcpu vcpu; unsigned long host_rsp; int launched; uint8_t fail; };
typedef struct lwpsinfo {
  int pr_flag; id_t pr_lwpid; uintptr_t pr_addr; uintptr_t pr_wchan; char pr_stype; char pr_state; char pr_sname; char pr_nice;
  short pr_syscall; char pr_oldpri; char pr_cpu; int pr_pri; ushort_t pr_pctcpu; ushort_t pr_pad; timestruc_t pr_start;
  timestruc_t pr_time; char pr_clname[8]; char pr_name[16]; processorid_t pr_onpro; processorid_t pr_bindpro;
  psetid_t pr_bindpset; int pr_lgrp; int pr_filler[4];
} lwpsinfo_t;
typedef struct psinfo {
  int pr_flag; int pr_nlwp; pid_t pr_pid; pid_t pr_ppid; pid_t pr_pgid; pid_t pr_sid; uid_t pr_uid; uid_t pr_euid; gid_t pr_gid;
  gid_t pr_egid; uintptr_t pr_addr; size_t pr_size; size_t pr_rssize; size_t pr_pad1; dev_t pr_ttydev; ushort_t pr_pctcpu;
  ushort_t pr_pctmem; timestruc_t pr_start; timestruc_t pr_time; timestruc_t pr_ctime; char pr_fname[16]; char pr_psargs[80];
  int pr_wstat; int pr_argc; uintptr_t pr_argv; uintptr_t pr_envp; char pr_dmodel; char pr_pad2[3]; taskid_t pr_taskid;
  projid_t pr_projid; int pr_nzomb; poolid_t pr_poolid; zoneid_t pr_zoneid; id_t pr_contract; int pr_filler[1]; lwpsinfo_t pr_lwp;
} psinfo_t;

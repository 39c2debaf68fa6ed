/* Block input and output: what a buf, a file and a vnode are to a program. */
#pragma D depends_on provider io

inline int B_BUSY = 0x1;
#pragma D binding "1.0" B_BUSY
inline int B_DONE = 0x2;
#pragma D binding "1.0" B_DONE
inline int B_ERROR = 0x4;
#pragma D binding "1.0" B_ERROR
inline int B_PAGEIO = 0x10;
#pragma D binding "1.0" B_PAGEIO
inline int B_PHYS = 0x20;
#pragma D binding "1.0" B_PHYS
inline int B_READ = 0x40;
#pragma D binding "1.0" B_READ
inline int B_WRITE = 0x100;
#pragma D binding "1.0" B_WRITE
inline int B_ASYNC = 0x400;
#pragma D binding "1.0" B_ASYNC

typedef struct bufinfo {
  int b_flags; size_t b_bcount; caddr_t b_addr; uint64_t b_lblkno; uint64_t b_blkno; size_t b_resid; size_t b_bufsize;
  caddr_t b_iodone; int b_error; dev_t b_edev;
} bufinfo_t;

translator bufinfo_t < struct buf *B > {
  b_flags = B->b_flags;
  b_bcount = B->b_bcount;
  b_addr = B->b_un.b_addr;
  b_lblkno = B->_b_blkno._f;
  b_blkno = B->_b_blkno._f;
  b_resid = B->b_resid;
  b_bufsize = B->b_bufsize;
  b_iodone = (caddr_t)B->b_iodone;
  b_error = B->b_error;
  b_edev = B->b_edev;
};

typedef struct devinfo {
  int dev_major; int dev_minor; int dev_instance; string dev_name; string dev_statname; string dev_pathname;
} devinfo_t;

/* The real translator puts dev_statname together from the driver's name and its instance, and asks ddi_pathname() for the
   path; here the device node has both. A buf without a device node is the NFS client's. */
translator devinfo_t < struct buf *B > {
  dev_major = getmajor(B->b_dip == NULL ? B->b_file->v_vfsp->vfs_dev : B->b_edev);
  dev_minor = getminor(B->b_dip == NULL ? B->b_file->v_vfsp->vfs_dev : B->b_edev);
  dev_instance = B->b_dip == NULL ? getminor(B->b_file->v_vfsp->vfs_dev) : B->b_dip->devi_instance;
  dev_name = B->b_dip == NULL ? "nfs" : stringof(B->b_dip->devi_binding_name);
  dev_statname = B->b_dip == NULL ? strjoin("nfs", lltostr(getminor(B->b_file->v_vfsp->vfs_dev))) :
      stringof(B->b_dip->devi_statname);
  dev_pathname = B->b_dip == NULL ? "<nfs>" : stringof(B->b_dip->devi_path);
};

typedef struct fileinfo {
  string fi_name; string fi_dirname; string fi_pathname; offset_t fi_offset; string fi_fs; string fi_mount; int fi_oflags;
} fileinfo_t;

translator fileinfo_t < struct buf *B > {
  fi_name = B->b_file == NULL ? "<none>" : B->b_file->v_path == NULL ? "<unknown>" : basename(cleanpath(B->b_file->v_path));
  fi_dirname = B->b_file == NULL ? "<none>" : B->b_file->v_path == NULL ? "<unknown>" : dirname(cleanpath(B->b_file->v_path));
  fi_pathname = B->b_file == NULL ? "<none>" : B->b_file->v_path == NULL ? "<unknown>" : cleanpath(B->b_file->v_path);
  fi_offset = B->b_offset;
  fi_fs = B->b_file == NULL ? "<none>" : stringof(B->b_file->v_op->vnop_name);
  fi_mount = B->b_file == NULL ? "<none>" : B->b_file->v_vfsp->vfs_vnodecovered == NULL ? "/" :
      B->b_file->v_vfsp->vfs_vnodecovered->v_path == NULL ? "<unknown>" :
      cleanpath(B->b_file->v_vfsp->vfs_vnodecovered->v_path);
  fi_oflags = 0;
};

inline int O_ACCMODE = 0x600003;
#pragma D binding "1.1" O_ACCMODE
inline int O_RDONLY = 0x0;
#pragma D binding "1.1" O_RDONLY
inline int O_WRONLY = 0x1;
#pragma D binding "1.1" O_WRONLY
inline int O_RDWR = 0x2;
#pragma D binding "1.1" O_RDWR
inline int O_APPEND = 0x8;
#pragma D binding "1.1" O_APPEND
inline int O_CREAT = 0x100;
#pragma D binding "1.1" O_CREAT
inline int O_DSYNC = 0x40;
#pragma D binding "1.1" O_DSYNC
inline int O_EXCL = 0x400;
#pragma D binding "1.1" O_EXCL
inline int O_LARGEFILE = 0x2000;
#pragma D binding "1.1" O_LARGEFILE
inline int O_NOCTTY = 0x800;
#pragma D binding "1.1" O_NOCTTY
inline int O_NONBLOCK = 0x80;
#pragma D binding "1.1" O_NONBLOCK
inline int O_NDELAY = 0x4;
#pragma D binding "1.1" O_NDELAY
inline int O_RSYNC = 0x8000;
#pragma D binding "1.1" O_RSYNC
inline int O_SYNC = 0x10;
#pragma D binding "1.1" O_SYNC
inline int O_TRUNC = 0x200;
#pragma D binding "1.1" O_TRUNC
inline int O_XATTR = 0x4000;
#pragma D binding "1.1" O_XATTR

translator fileinfo_t < struct file *F > {
  fi_name = F == NULL ? "<none>" : F->f_vnode->v_path == NULL ? "<unknown>" : basename(cleanpath(F->f_vnode->v_path));
  fi_dirname = F == NULL ? "<none>" : F->f_vnode->v_path == NULL ? "<unknown>" : dirname(cleanpath(F->f_vnode->v_path));
  fi_pathname = F == NULL ? "<none>" : F->f_vnode->v_path == NULL ? "<unknown>" : cleanpath(F->f_vnode->v_path);
  fi_offset = F == NULL ? 0 : F->f_offset;
  fi_fs = F == NULL ? "<none>" : stringof(F->f_vnode->v_op->vnop_name);
  fi_mount = F == NULL ? "<none>" : F->f_vnode->v_vfsp->vfs_vnodecovered == NULL ? "/" :
      F->f_vnode->v_vfsp->vfs_vnodecovered->v_path == NULL ? "<unknown>" :
      cleanpath(F->f_vnode->v_vfsp->vfs_vnodecovered->v_path);
  fi_oflags = F == NULL ? 0 : F->f_flag + (int)0xffffffff;
};

inline fileinfo_t fds[int fd] = xlate <fileinfo_t> (getf(fd));
#pragma D attributes Stable/Stable/Common fds
#pragma D binding "1.1" fds

translator fileinfo_t < struct vnode *V > {
  fi_name = V->v_path == NULL ? "<unknown>" : basename(cleanpath(V->v_path));
  fi_dirname = V->v_path == NULL ? "<unknown>" : dirname(cleanpath(V->v_path));
  fi_pathname = V->v_path == NULL ? "<unknown>" : cleanpath(V->v_path);
  fi_fs = stringof(V->v_op->vnop_name);
  fi_mount = V->v_vfsp->vfs_vnodecovered == NULL ? "/" : V->v_vfsp->vfs_vnodecovered->v_path == NULL ? "<unknown>" :
      cleanpath(V->v_vfsp->vfs_vnodecovered->v_path);
};

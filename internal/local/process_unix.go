//go:build darwin || linux || freebsd

package local

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// ownGroup puts the child into a process group of its own, so that Ctrl-C at the terminal reaches
// only this process, which then ends its children in order.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// killGroup ends the child and whatever it started.
func killGroup(cmd *exec.Cmd) error {
	return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
}

// tryLock takes the lock on f and reports whether it could. The system drops the lock when the
// process ends, however it ends.
func tryLock(f *os.File, shared bool) (bool, error) {
	how := syscall.LOCK_EX
	if shared {
		how = syscall.LOCK_SH
	}
	err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// freeBytes is the room on the disk that holds dir.
func freeBytes(dir string) (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	//nolint:gosec,unconvert // the types differ between systems, and none is negative
	return uint64(st.Bavail) * uint64(st.Bsize), nil
}

// isOurs reports whether a file belongs to the user of this process, or to root, who can do
// everything anyway.
func isOurs(st os.FileInfo) bool {
	sys, ok := st.Sys().(*syscall.Stat_t)
	return ok && (int64(sys.Uid) == int64(os.Geteuid()) || sys.Uid == 0)
}

// othersWrite reports whether other users can write to a folder. A group with the number of the
// user is one that holds the user alone, as many systems make it.
func othersWrite(st os.FileInfo) bool {
	sys, ok := st.Sys().(*syscall.Stat_t)
	return !ok || st.Mode()&0o002 != 0 || st.Mode()&0o020 != 0 && sys.Gid != sys.Uid
}

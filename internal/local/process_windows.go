package local

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"unsafe"
)

var (
	kernel32            = syscall.NewLazyDLL("kernel32.dll")
	lockFileEx          = kernel32.NewProc("LockFileEx")
	getDiskFreeSpaceExW = kernel32.NewProc("GetDiskFreeSpaceExW")
)

// ownGroup puts the child into a process group of its own, so that Ctrl-C at the terminal reaches
// only this process, which then ends its children in order.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// killGroup ends the child; what it started ends by the pipe that it holds.
func killGroup(cmd *exec.Cmd) error {
	return cmd.Process.Kill()
}

// tryLock takes the lock on f and reports whether it could. The system drops the lock when the
// process ends, however it ends.
func tryLock(f *os.File, shared bool) (bool, error) {
	const (
		failImmediately = 1
		exclusive       = 2
		errorIOPending  = syscall.Errno(997)
		errorViolation  = syscall.Errno(33)
	)
	flags := uintptr(failImmediately)
	if !shared {
		flags |= exclusive
	}
	var where syscall.Overlapped
	ok, _, err := lockFileEx.Call(f.Fd(), flags, 0, 1, 0, uintptr(unsafe.Pointer(&where)))
	if ok != 0 {
		return true, nil
	}
	if errors.Is(err, errorViolation) || errors.Is(err, errorIOPending) {
		return false, nil
	}
	return false, err
}

// freeBytes is the room on the disk that holds dir.
func freeBytes(dir string) (uint64, error) {
	path, err := syscall.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	ok, _, err := getDiskFreeSpaceExW.Call(uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(&free)), 0, 0)
	if ok == 0 {
		return 0, &os.PathError{Op: "GetDiskFreeSpaceEx", Path: dir, Err: err}
	}
	return free, nil
}

// isOurs is true, because on Windows the permissions of the cache folder are those of the profile.
func isOurs(os.FileInfo) bool { return true }

// othersWrite is false, for the same reason.
func othersWrite(os.FileInfo) bool { return false }

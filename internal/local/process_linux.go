package local

import (
	"os/exec"
	"syscall"
)

// dieWithParent lets the system kill the child when this process has ended. The child also watches
// its pipe, but Python cannot run the thread that does while a library in C holds the interpreter's
// lock: an engine in the middle of a large document would go on for seconds. The system acts when
// the thread that started the child ends, which in a Go program no thread does before the process,
// unless a goroutine ends that is locked to it; none here is.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}

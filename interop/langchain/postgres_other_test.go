//go:build !linux

package langchain_test

import "testing"

func startPostgres(t *testing.T) string {
	t.Helper()
	t.Skip("PostgreSQL with pgvector is started from a package on Linux only: set PGVECTOR_URL")
	return ""
}

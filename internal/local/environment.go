package local

import (
	"os"
	"slices"
	"strings"
)

// A child gets the variables of the user's that stand in its list and no others. So no key of the
// user's stands in its environment, and nothing leads its Python to the user's own packages. A name
// that ends with an asterisk stands for all names that begin so. Names are compared in upper case,
// as Windows and docling-serve compare them.
var (
	everyChildGets = []string{
		// What a program needs in order to run at all.
		"PATH", "HOME", "USER", "LOGNAME", "TZ", "LANG", "LANGUAGE", "LC_*", "TMPDIR", "TMP", "TEMP",
		"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_HOME",
		"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "__CF_USER_TEXT_ENCODING",
		// The same on Windows.
		"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "USERNAME", "HOMEDRIVE",
		"HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES*", "COMMONPROGRAMFILES*",
		"NUMBER_OF_PROCESSORS", "PROCESSOR_*",
		// How other machines are reached.
		"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY",
		"SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
	}
	engineGets = append([]string{
		// Which processors to use, and how.
		"CUDA_*", "NVIDIA_*", "HIP_*", "ROCR_*", "HSA_*", "GGML_*", "OMP_*", "GOMP_*", "KMP_*", "MKL_*",
		"OPENBLAS_*", "NUMEXPR_*", "VECLIB_*", "DOCLING_NUM_THREADS", "DOCLING_DEVICE",
	}, everyChildGets...)
	// docling-serve's own settings. Its key is no exception: each run sets a new one, and what we
	// set replaces what the user has set.
	doclingGets = append([]string{"DOCLING_SERVE_*"}, engineGets...)
	// Which index packages come from, and how it is reached.
	installerGets = append([]string{
		"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_TRUSTED_HOST", "PIP_PROXY",
		"PIP_CERT", "PIP_CLIENT_CERT", "PIP_CONFIG_FILE", "PIP_KEYRING_PROVIDER", "PIP_TIMEOUT",
		"PIP_DEFAULT_TIMEOUT", "PIP_RETRIES",
		"UV_INDEX", "UV_INDEX_*", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_NO_INDEX", "UV_FIND_LINKS",
		"UV_INSECURE_HOST", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_CONFIG_FILE", "UV_KEYRING_PROVIDER",
		"UV_HTTP_*", "UV_OFFLINE", "NETRC",
	}, everyChildGets...)
)

// childEnvironment is the environment of a child: the user's variables that it gets, and what we
// set, which replaces a variable of the user's with the same name in any case.
func childEnvironment(gets []string, set ...string) []string {
	ours := make([]string, len(set))
	for i, variable := range set {
		ours[i] = nameOf(variable)
	}
	var env []string
	for _, variable := range os.Environ() {
		name := nameOf(variable)
		isListed := slices.ContainsFunc(gets, func(listed string) bool {
			prefix, isPrefix := strings.CutSuffix(listed, "*")
			return name == listed || isPrefix && strings.HasPrefix(name, prefix)
		})
		if isListed && !slices.Contains(ours, name) {
			env = append(env, variable)
		}
	}
	return append(env, set...)
}

func nameOf(variable string) string {
	name, _, _ := strings.Cut(variable, "=")
	return strings.ToUpper(name)
}

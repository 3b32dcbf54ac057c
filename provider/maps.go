package provider

import "maps"

// merged is a new map with the entries of all maps, in which a later map wins over an earlier one.
func merged(all ...map[string]any) map[string]any {
	out := map[string]any{}
	for _, m := range all {
		maps.Copy(out, m)
	}
	return out
}

// setKnown sets m[key], unless value is the zero value, which means that it is not known.
func setKnown[T comparable](m map[string]any, key string, value T) {
	if value != *new(T) {
		m[key] = value
	}
}

package babyclient

import (
	"cmp"
	"maps"
	"slices"
)

// sortByIndex orders choices and pieces of them as the service numbers them.
func sortByIndex[T any](s []T, index func(T) int) {
	slices.SortStableFunc(s, func(a, b T) int { return cmp.Compare(index(a), index(b)) })
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

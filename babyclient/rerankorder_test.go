package babyclient_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// A document that is missing from the answer is an error, unless fewer were asked for.
func TestRerankLosesNoDocument(t *testing.T) {
	result := func(index int, score float64) string {
		return fmt.Sprintf(`{"index":%d,"relevance_score":%v}`, index, score)
	}
	for name, test := range map[string]struct {
		results []string
		topN    int
		extra   map[string]any
		want    []int // indices in their order, nil for an error
	}{
		"all":                {[]string{result(0, 1), result(1, 2), result(2, 3)}, 0, nil, []int{2, 1, 0}},
		"ties":               {[]string{result(2, 1), result(0, 1), result(1, 1)}, 0, nil, []int{0, 1, 2}},
		"ties below":         {[]string{result(2, 1), result(1, 5), result(0, 1)}, 0, nil, []int{1, 0, 2}},
		"none":               {nil, 0, nil, nil},
		"one":                {[]string{result(1, 2)}, 0, nil, nil},
		"two":                {[]string{result(1, 2), result(0, 2)}, 0, nil, nil},
		"top 2":              {[]string{result(1, 2), result(0, 3)}, 2, nil, []int{0, 1}},
		"top 2, one":         {[]string{result(1, 2)}, 2, nil, []int{1}},
		"top 2, none":        {[]string{}, 2, nil, []int{}},
		"top 2 by its name":  {[]string{result(1, 2)}, 0, map[string]any{"top_n": 2}, []int{1}},
		"top 2, all of them": {[]string{result(1, 2), result(0, 3), result(2, 1)}, 2, nil, []int{0, 1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := server(t)
			srv.On("POST /v1/rerank", babytest.JSON(200, `{"results":[`+strings.Join(test.results, ",")+`]}`))
			resp, err := client(srv).Rerank(t.Context(), &babyclient.RerankRequest{Model: "m", Query: "q",
				Documents: []string{"a", "b", "c"}, TopN: test.topN, Extra: test.extra})
			if test.want == nil {
				e := fails(t, err)
				if !errors.Is(err, babyclient.ErrInvalidResponse) || !strings.Contains(e.Message, "of 3") {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := []int{}
			for _, r := range resp.Results {
				got = append(got, r.Index)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("order %v, want %v", got, test.want)
			}
		})
	}
}

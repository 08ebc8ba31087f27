package main

import (
	"strings"
	"testing"
)

// step is what comes: an entry of a sender, or an own outcome where sender is own.
type step struct {
	sender, number uint32
	seq            uint64
}

const own = 99

func TestOrder(t *testing.T) {
	for name, test := range map[string]struct {
		head  uint64
		steps []step
		want  string
	}{
		"all in order":                       {0, []step{{1, 0, 1}, {own, 0, 2}, {1, 1, 3}, {2, 0, 4}}, ""},
		"an entry before an own one below":   {4, []step{{1, 0, 6}, {own, 0, 5}}, ""},
		"an entry twice":                     {0, []step{{1, 0, 1}, {1, 0, 1}}, "came after"},
		"an entry twice, renumbered":         {0, []step{{1, 0, 1}, {1, 0, 2}}, "message 0 of sender 1 came where 1"},
		"entries in another order":           {0, []step{{1, 0, 2}, {2, 0, 1}}, "came after"},
		"a sender's messages swapped":        {0, []step{{1, 1, 1}, {1, 0, 2}}, "came where 0 was due"},
		"a sender's message left out":        {0, []step{{1, 0, 1}, {1, 2, 2}}, "came where 1 was due"},
		"a hole":                             {0, []step{{1, 0, 1}, {2, 0, 3}}, "seq 2 never came"},
		"a hole at the beginning":            {4, []step{{1, 0, 6}}, "seq 5 never came"},
		"an outcome twice":                   {0, []step{{own, 0, 1}, {own, 0, 1}}, "send 0 was accepted where 1"},
		"outcomes in another order":          {0, []step{{own, 1, 1}, {own, 0, 2}}, "send 1 was accepted where 0"},
		"own sends stored in another order":  {0, []step{{own, 0, 2}, {own, 1, 1}}, "the one before it at 2"},
		"an own send as an entry of another": {0, []step{{own, 0, 1}, {1, 0, 1}}, "seq 1 came twice"},
		"an entry from before the load":      {4, []step{{1, 0, 4}}, "seq 4 came twice"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := walk(newOrder(test.head), test.steps); got != test.want && (test.want == "" || !strings.Contains(got, test.want)) {
				t.Errorf("said %q, want %q", got, test.want)
			}
		})
	}
}

// walk returns the first complaint, or "".
func walk(o *order, steps []step) string {
	for _, s := range steps {
		var said error
		if s.sender == own {
			said = o.accepted(s.number, s.seq)
		} else {
			said = o.entry(s.sender, s.number, s.seq)
		}
		if said != nil {
			return said.Error()
		}
	}
	if said := o.whole(); said != nil {
		return said.Error()
	}
	return ""
}

package eks_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/clusters/eks"
)

const entriesPath = "/clusters/" + clusterName + "/access-entries"

// accessEntry is one as EKS has it on the wire.
type accessEntry struct {
	PrincipalArn     string            `json:"principalArn"`
	KubernetesGroups []string          `json:"kubernetesGroups"`
	Tags             map[string]string `json:"tags"`
}

// answerEntries is the part of eks.amazonaws.com that has the access entries.
func (a *account) answerEntries(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	refuse := func(code int, fault string) {
		w.Header().Set("X-Amzn-ErrorType", fault)
		w.WriteHeader(code)
		fmt.Fprint(w, `{"message":"no"}`)
	}
	principal := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, entriesPath), "/")
	var given accessEntry
	_ = json.NewDecoder(r.Body).Decode(&given)
	old, there := a.entries[principal]
	switch {
	case principal == "" && r.Method == http.MethodGet:
		all := slices.Sorted(maps.Keys(a.entries))
		from, _ := strconv.Atoi(r.URL.Query().Get("nextToken"))
		to := min(from+a.page, len(all))
		page := map[string]any{"accessEntries": all[from:to]}
		if to < len(all) {
			page["nextToken"] = strconv.Itoa(to)
		}
		_ = json.NewEncoder(w).Encode(page)
	case principal == "":
		if _, there := a.entries[given.PrincipalArn]; there {
			refuse(http.StatusConflict, "ResourceInUseException")
			return
		}
		a.entries[given.PrincipalArn] = given
		_ = json.NewEncoder(w).Encode(map[string]any{"accessEntry": given})
	case !there:
		refuse(http.StatusNotFound, "ResourceNotFoundException")
	case r.Method == http.MethodDelete:
		delete(a.entries, principal)
		fmt.Fprint(w, `{}`)
	case r.Method == http.MethodPost:
		old.KubernetesGroups = given.KubernetesGroups
		a.entries[principal] = old
		_ = json.NewEncoder(w).Encode(map[string]any{"accessEntry": old})
	default:
		_ = json.NewEncoder(w).Encode(map[string]any{"accessEntry": old})
	}
}

// TestEntries: what bears our tags is made, changed, found on every page and deleted, and
// what somebody else made stays as it is.
func TestEntries(t *testing.T) {
	a := newAccount(t)
	a.page = 2
	c := eks.New(eks.Options{Name: clusterName, Region: "ap-northeast-2"})
	if err := c.Grant(t.Context(), eks.Entry{}); err == nil {
		t.Error("not attached, and granted")
	}
	if _, err := c.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	ours := map[string]string{"stepscale.io/class": "k8s", "stepscale.io/owner": "abcde"}
	role := func(n int) string { return fmt.Sprintf("arn:aws:iam::111122223333:role/s%02d", n) }
	a.entries[role(9)] = accessEntry{role(9), []string{"admins"}, map[string]string{"stepscale.io/class": "k8s"}} // a tag that anybody may write
	for n := range 5 {
		for _, group := range []string{"old", "class-" + strconv.Itoa(n)} { // the second time it is brought up to date
			if err := c.Grant(t.Context(), eks.Entry{Principal: role(n), Groups: []string{group}, Tags: ours}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := c.Grant(t.Context(), eks.Entry{Principal: role(9), Groups: []string{"class-9"}, Tags: ours}); !errors.Is(err, eks.ErrForeignEntry) || a.entries[role(9)].KubernetesGroups[0] != "admins" {
		t.Errorf("an entry of somebody else's: %v, %+v", err, a.entries[role(9)])
	}
	all, err := c.Entries(t.Context(), ours)
	if err != nil || len(all) != 5 || all[4].Principal != role(4) || all[4].Groups[0] != "class-4" {
		t.Errorf("entries %+v, %v", all, err)
	}
	for range 2 {
		for n := range 5 {
			if err := c.Revoke(t.Context(), role(n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if left, err := c.Entries(t.Context(), ours); err != nil || len(left) > 0 || len(a.entries) != 1 {
		t.Errorf("left %+v of %+v, %v", left, a.entries, err)
	}
	a.fault = "AccessDeniedException"
	var known *attached.Error
	if err := c.Grant(t.Context(), eks.Entry{Principal: role(1), Tags: ours}); !errors.As(err, &known) || known.Reason != eks.Denied {
		t.Errorf("not allowed: %v", err)
	}
}

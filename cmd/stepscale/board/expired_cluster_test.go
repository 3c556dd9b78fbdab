package board

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/keyutil"
)

// resigned is a token of the cluster's own that ends at another time: signed with its key, and
// judged by its own authenticator.
func (s *school) resigned(t *testing.T, token string, ends time.Time) string {
	t.Helper()
	parts := strings.Split(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{}
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	claims["exp"] = ends.Unix()
	if raw, err = json.Marshal(claims); err != nil {
		t.Fatal(err)
	}
	key, err := keyutil.PrivateKeyFromFile(filepath.Join(filepath.Dir(s.cluster.Info().Kubeconfig), "service-account.key"))
	if err != nil {
		t.Fatal(err)
	}
	signed := parts[0] + "." + base64.RawURLEncoding.EncodeToString(raw)
	sum := sha256.Sum256([]byte(signed))
	r, v, err := ecdsa.Sign(rand.Reader, key.(*ecdsa.PrivateKey), sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	v.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// ageing is a learner whose token a test lets grow old.
func (s *school) ageing(t *testing.T, seat string) (l Learner, token string, becomes *atomic.Value) {
	t.Helper()
	becomes = &atomic.Value{}
	l = s.pupil(t, seat)
	cfg := rest.AnonymousClientConfig(s.cfg)
	cfg.QPS = -1
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.Header.Set("Authorization", "Bearer "+becomes.Load().(string))
			return next.RoundTrip(r)
		})
	})
	token = s.token(t, l.Namespace)
	becomes.Store(token)
	l.Kube = kubernetes.NewForConfigOrDie(cfg)
	return l, token, becomes
}

// expired: a token that has ended is told as that, with what to do, the lesson goes on, and a
// new one brings everything.
func expired(t *testing.T, s *school) {
	p, good, token := s.ageing(t, "s001")
	w, _ := s.watch(t)
	l := opened(t, []Learner{p})[0]
	l.Told(at(1))
	until(t, w, "step 1", everybodyAt(1))
	old := s.resigned(t, good, time.Now().Add(-10*time.Minute))
	token.Store(old)
	polls(t, l, "토큰이 만료되었을 수 있습니다", steps(t, l, 2))
	if _, _, err := FindLearner(t.Context(), p.Kube, p.Namespace); !apierrors.IsUnauthorized(err) {
		t.Errorf("an expired token: %v", err)
	}
	token.Store(s.resigned(t, good, time.Now().Add(time.Hour))) // which is as good as the API server's own
	until(t, w, "step 2", everybodyAt(2))
	polls(t, l, "다시 닿았고", "")
	l.Until(time.Now().Add(-time.Minute))
	token.Store(old)
	polls(t, l, " 지났습니다. 수업이 이어진다면 강사에게 새 코드를", steps(t, l, 3))
	if b := w.Board(BoardOptions{}); b.Trouble != "" || b.Rows[0].Steps != 2 {
		t.Errorf("what the instructor sees: %+v", b)
	}
	token.Store(good)
	until(t, w, "step 3", everybodyAt(3))
}

package eks_test

import (
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/clusters/eks"
)

// sso is a learner's SSO login on this machine, as the AWS CLI leaves it.
type sso struct {
	t    *testing.T
	file string // where the CLI keeps the token of the session
}

func newSSO(t *testing.T) sso {
	t.Helper()
	home := t.TempDir()
	config := filepath.Join(home, "config")
	text := `[sso-session school]
sso_start_url = https://example.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access
[profile student]
sso_session = school
sso_account_id = 111122223333
sso_role_name = student
`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"HOME": home, "AWS_CONFIG_FILE": config, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""} {
		t.Setenv(name, value)
	}
	return sso{t, filepath.Join(home, ".aws", "sso", "cache", fmt.Sprintf("%x.json", sha1.Sum([]byte("school"))))}
}

// login is "aws sso login"; the session lasts that long.
func (s sso) login(last time.Duration) {
	s.t.Helper()
	token := fmt.Sprintf(`{"startUrl":"https://example.awsapps.com/start","region":"us-east-1","accessToken":"t","expiresAt":%q}`, time.Now().Add(last).UTC().Format(time.RFC3339))
	if err := errors.Join(os.MkdirAll(filepath.Dir(s.file), 0o700), os.WriteFile(s.file, []byte(token), 0o600)); err != nil {
		s.t.Fatal(err)
	}
}

// TestLoggedOut goes through the ways in which an SSO login ends, in the middle of a
// lesson, and back: the same connection works again after a new login.
func TestLoggedOut(t *testing.T) {
	for name, logout := range map[string]func(*account, sso){
		"the session has expired":  func(_ *account, s sso) { s.login(-time.Minute) },
		"an administrator ends it": func(a *account, _ sso) { a.loggedIn.Store(false) },
		"aws sso logout":           func(_ *account, s sso) { _ = os.Remove(s.file) },
	} {
		t.Run(name, func(t *testing.T) {
			a, s := newAccount(t), newSSO(t)
			a.loggedIn.Store(true)
			s.login(time.Hour)
			cfg, err := eks.New(eks.Options{Name: clusterName, Region: "ap-northeast-2", Profile: "student"}).Up(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			kube := kubernetes.NewForConfigOrDie(cfg)
			version := func() error { _, err := kube.Discovery().ServerVersion(); return err }
			logout(a, s)
			if err := version(); err != nil {
				t.Errorf("while the token is good: %v", err)
			}
			a.refused.Store(true)
			if err := version(); !apierrors.IsUnauthorized(err) {
				t.Errorf("when the token is old: %v", err)
			}
			if err := version(); eks.ReasonOf(err) != eks.Expired {
				t.Errorf("then it is %q: %v", eks.ReasonOf(err), err)
			}
			a.refused.Store(false)
			a.loggedIn.Store(true)
			s.login(time.Hour)
			if err := version(); err != nil {
				t.Errorf("after a new login: %v", err)
			}
		})
	}
}

// TestWrongClock: who is refused with a clock that is off is told how far.
func TestWrongClock(t *testing.T) {
	for name, refuse := range map[string]func(*account){
		"by AWS":            func(a *account) { a.fault = "InvalidSignatureException" },
		"by the API server": func(a *account) { a.refused.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			refuse(newAccount(t))
			const off = -20 * time.Minute
			c := eks.New(eks.Options{Name: clusterName, Region: "ap-northeast-2", Clock: testingclock.NewFakePassiveClock(time.Now().Add(off))})
			_, err := c.Up(t.Context())
			var e *attached.Error
			if !errors.As(err, &e) || (e.Skew-off).Abs() > 5*time.Second {
				t.Errorf("error %+v", e)
			}
		})
	}
}

// TestCertificateOfAnotherTime is what a handshake says with a clock that is off by
// more than a certificate lasts.
func TestCertificateOfAnotherTime(t *testing.T) {
	var err error = x509.CertificateInvalidError{Reason: x509.Expired, Detail: "current time is before"}
	err = &url.Error{Op: "Get", URL: "https://class", Err: &tls.CertificateVerificationError{Err: err}}
	if got := eks.ReasonOf(err); got != attached.BadTime {
		t.Errorf("reason %q", got)
	}
}

package eks_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

const (
	clusterName = "class"
	keyID       = "AKIDEXAMPLE"
	arn         = "arn:aws:sts::111122223333:assumed-role/student/kim"
)

// account is a stand-in of AWS's endpoints and of the API server that asks them
// about a token, as EKS's does. Behind the API server is an embedded one.
type account struct {
	aws, api *httptest.Server
	fault    string // the error code that every call gets; empty for none
	unknown  bool   // the API server has no access entry for the caller
	limit    atomic.Int32
	tokens   map[string]bool
}

func newAccount(t *testing.T, node *rest.Config) *account {
	t.Helper()
	a := &account{tokens: map[string]bool{}}
	a.aws = httptest.NewServer(http.HandlerFunc(a.answer))
	t.Cleanup(a.aws.Close)
	through, err := rest.TransportFor(node)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(node.Host)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = through
	a.api = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.limit.Add(-1) >= 0 {
			w.Header().Set("Retry-After", "0")
			http.Error(w, "slow down", http.StatusTooManyRequests)
			return
		}
		if err := a.authenticate(r); err != nil {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Unauthorized","code":401,"message":%q}`, err)
			return
		}
		r.Header.Del("Authorization")
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(a.api.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_EKS": a.aws.URL, "AWS_ENDPOINT_URL_STS": a.aws.URL, "AWS_ACCESS_KEY_ID": keyID, "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_SESSION_TOKEN": "", "AWS_REGION": "", "AWS_PROFILE": "", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	return a
}

// answer is eks.amazonaws.com and sts.amazonaws.com.
func (a *account) answer(w http.ResponseWriter, r *http.Request) {
	switch {
	case a.fault != "":
		w.Header().Set("X-Amzn-ErrorType", a.fault)
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"__type":%q,"message":"no"}`, a.fault)
	case r.URL.Path == "/clusters/"+clusterName:
		ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.api.Certificate().Raw})
		_ = json.NewEncoder(w).Encode(map[string]any{"cluster": map[string]any{
			"name": clusterName, "status": "ACTIVE", "version": "1.37", "endpoint": a.api.URL,
			"certificateAuthority": map[string]string{"data": base64.StdEncoding.EncodeToString(ca)},
		}})
	case strings.HasPrefix(r.URL.Path, "/clusters/"):
		w.Header().Set("X-Amzn-ErrorType", "ResourceNotFoundException")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"message":"No cluster found"}`)
	default: // GetCallerIdentity, posted by the SDK or presigned in a token
		fmt.Fprintf(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>%s</Arn><UserId>x</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`, arn)
	}
}

// authenticate does with a token what EKS's webhook does (aws-iam-authenticator,
// pkg/token, Verify): it is a presigned call for this cluster, signed by somebody
// not long ago, and STS answers it.
func (a *account) authenticate(r *http.Request) error {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer k8s-aws-v1.")
	if !ok || a.unknown {
		return fmt.Errorf("not a token of EKS")
	}
	a.tokens[token] = true
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return err
	}
	signed, err := url.Parse(string(raw))
	if err != nil {
		return err
	}
	q := signed.Query()
	at, err := time.Parse("20060102T150405Z", q.Get("X-Amz-Date"))
	if err != nil {
		return err
	}
	switch {
	case q.Get("Action") != "GetCallerIdentity", !strings.HasPrefix(q.Get("X-Amz-Credential"), keyID+"/"), q.Get("X-Amz-Signature") == "":
		return fmt.Errorf("not a presigned GetCallerIdentity: %s", signed)
	case !strings.Contains(q.Get("X-Amz-SignedHeaders"), "x-k8s-aws-id"):
		return fmt.Errorf("the cluster is not signed: %s", q.Get("X-Amz-SignedHeaders"))
	case time.Since(at).Abs() > 15*time.Minute:
		return fmt.Errorf("the token is of %s", at)
	}
	call, err := http.NewRequestWithContext(context.Background(), http.MethodGet, signed.String(), nil)
	if err != nil {
		return err
	}
	call.Header.Set("x-k8s-aws-id", clusterName)
	answer, err := http.DefaultClient.Do(call)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("STS says %s", answer.Status)
	}
	return nil
}

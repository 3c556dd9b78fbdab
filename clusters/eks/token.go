package eks

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/oauth2"
	"k8s.io/utils/clock"
)

const (
	tokenPrefix = "k8s-aws-v1."
	// tokenLife is less than the 15 minutes for which EKS takes a token, whatever
	// its X-Amz-Expires says (aws-iam-authenticator, pkg/token).
	tokenLife = 14 * time.Minute
)

// tokenSource makes bearer tokens for one cluster: a presigned GetCallerIdentity
// of STS, which EKS calls to learn who we are. A token is kept in memory only.
type tokenSource struct {
	cluster string
	presign *sts.PresignClient
	clock   clock.PassiveClock
}

// Token signs with the credentials of the moment. It makes no call.
func (s *tokenSource) Token() (*oauth2.Token, error) {
	until := s.clock.Now().Add(tokenLife)
	signed, err := s.presign.PresignGetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{}, func(o *sts.PresignOptions) {
		o.ClientOptions = append(o.ClientOptions, func(c *sts.Options) {
			c.APIOptions = append(c.APIOptions, smithyhttp.SetHeaderValue("x-k8s-aws-id", s.cluster), smithyhttp.SetHeaderValue("X-Amz-Expires", "60"))
		})
	})
	if err != nil {
		return nil, err
	}
	return &oauth2.Token{AccessToken: tokenPrefix + base64.RawURLEncoding.EncodeToString([]byte(signed.URL)), TokenType: "Bearer", Expiry: until}, nil
}

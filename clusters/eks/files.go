package eks

import (
	"cmp"
	"errors"
	"io/fs"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/engine/outside"
)

// awsFiles finds a file of settings that the SDK would wait for, or read for ever. It
// tells of those that do not exist itself.
func awsFiles() error {
	for _, file := range []string{
		cmp.Or(os.Getenv("AWS_CONFIG_FILE"), config.DefaultSharedConfigFilename()),
		cmp.Or(os.Getenv("AWS_SHARED_CREDENTIALS_FILE"), config.DefaultSharedCredentialsFilename()),
		os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE"), os.Getenv("AWS_CA_BUNDLE"),
	} {
		if file == "" {
			continue
		}
		if err := outside.Check(file, attached.MostConfig); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &attached.Error{Reason: BadAWSFile, File: file, Err: err}
		}
	}
	return nil
}

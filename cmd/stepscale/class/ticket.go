package class

import (
	"reflect"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// ours tells whether a ticket is as Hand makes them. Anybody can make a class file with codes,
// and a kubeconfig can run programs, read files and speak to a server without looking who it
// is; a namespace that is no seat's could be one that the learner's own AWS identity reaches.
func (t Ticket) ours(class string) bool {
	if t.Class != class || !seatName.MatchString(t.Seat) || t.Namespace != NamespaceOf(class, t.Seat) {
		return false
	}
	if t.EKS != "" {
		return len(t.Kubeconfig) == 0
	}
	return plainKubeconfig(t.Kubeconfig)
}

// plainKubeconfig tells of a kubeconfig that all it has is a server, whose certificates that
// has, and a token.
func plainKubeconfig(raw []byte) bool {
	config, err := clientcmd.Load(raw)
	if err != nil || len(config.Clusters) != 1 || len(config.AuthInfos) != 1 || len(config.Contexts) != 1 {
		return false
	}
	in := config.Contexts[config.CurrentContext]
	if in == nil || config.Clusters[in.Cluster] == nil || config.AuthInfos[in.AuthInfo] == nil {
		return false
	}
	server, who := *config.Clusters[in.Cluster], *config.AuthInfos[in.AuthInfo]
	secure := strings.HasPrefix(server.Server, "https://") && who.Token != ""
	server.Server, server.CertificateAuthorityData, server.TLSServerName, server.Extensions = "", nil, "", nil
	who.Token, who.Extensions = "", nil
	return secure && reflect.DeepEqual(server, api.Cluster{}) && reflect.DeepEqual(who, api.AuthInfo{})
}

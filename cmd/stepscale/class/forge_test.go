package class

import (
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
)

// report is a learner's, as the API server takes it.
func report(text string, labels map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: board.Object(board.PartReport), Labels: labels}, Data: map[string]string{board.Key: text}}
}

// TestEscape: in the own namespace a learner cannot become more than a learner.
func TestEscape(t *testing.T) {
	t.Parallel()
	c := newClassroom(t, "escape", 2)
	c.create(t)
	_, tickets := c.hand(t)
	me, own, other := tickets[0].kube(t), tickets[0].Namespace, tickets[1].Namespace
	_, err := me.CoreV1().Pods(own).Create(t.Context(), pod(nil), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil {
		t.Fatalf("a pod that does no harm: %v", err)
	}
	ctx, none := t.Context(), metav1.CreateOptions{}
	merge := func(path, body string) error {
		return me.CoreV1().RESTClient().Patch("application/merge-patch+json").AbsPath(path).Body([]byte(body)).Do(ctx).Error()
	}
	core, rbac := "/api/v1/namespaces/"+own, "/apis/rbac.authorization.k8s.io/v1/namespaces/"+own
	admin := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"}
	tries := map[string]func() error{
		"raise the quota":  func() error { return merge(core+"/resourcequotas/stepscale", `{"spec":{"hard":{"pods":"1000"}}}`) },
		"drop the quota":   func() error { return me.CoreV1().ResourceQuotas(own).Delete(ctx, "stepscale", metav1.DeleteOptions{}) },
		"raise the limits": func() error { return merge(core+"/limitranges/stepscale", `{"spec":{"limits":[]}}`) },
		"open the network": func() error {
			return merge("/apis/networking.k8s.io/v1/namespaces/"+own+"/networkpolicies/stepscale", `{"spec":{"egress":[{}]}}`)
		},
		"drop the network's fence": func() error {
			return me.NetworkingV1().NetworkPolicies(own).Delete(ctx, "stepscale", metav1.DeleteOptions{})
		},
		"drop pod security": func() error {
			return merge(core, `{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"privileged"}}}`)
		},
		"change the class":       func() error { return merge(core, `{"metadata":{"labels":{"`+board.LabelClass+`":"other"}}}`) },
		"change the seat":        func() error { return merge(core, `{"metadata":{"labels":{"`+board.LabelSeat+`":"s02"}}}`) },
		"finalize the namespace": func() error { return merge(core+"/finalize", `{}`) },
		"make a namespace": func() error {
			_, err := me.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "escape-s03"}}, none)
			return err
		},
		"delete the namespace": func() error { return me.CoreV1().Namespaces().Delete(ctx, own, metav1.DeleteOptions{}) },
		"make a role": func() error {
			_, err := me.RbacV1().Roles(own).Create(ctx, &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "r"}}, none)
			return err
		},
		"bind oneself": func() error {
			_, err := me.RbacV1().RoleBindings(own).Create(ctx, &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "r"}, RoleRef: admin, Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "s01", Namespace: board.Home("escape")}}}, none)
			return err
		},
		"bind oneself in the cluster": func() error {
			_, err := me.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "r"}, RoleRef: admin}, none)
			return err
		},
		"let another in": func() error { return merge(rbac+"/rolebindings/stepscale-student", `{"subjects":[]}`) },
		"mint a token of one's own": func() error {
			_, err := me.CoreV1().ServiceAccounts(board.Home("escape")).CreateToken(ctx, "s01", &authenticationv1.TokenRequest{}, none)
			return err
		},
		"mint another's token": func() error {
			_, err := me.CoreV1().ServiceAccounts(board.Home("escape")).CreateToken(ctx, "s02", &authenticationv1.TokenRequest{}, none)
			return err
		},
		"mint a token of the namespace": func() error {
			_, err := me.CoreV1().ServiceAccounts(own).CreateToken(ctx, "default", &authenticationv1.TokenRequest{}, none)
			return err
		},
		"read secrets": func() error { _, err := me.CoreV1().Secrets(own).List(ctx, metav1.ListOptions{}); return err },
		"another's report": func() error {
			_, err := me.CoreV1().ConfigMaps(other).Get(ctx, board.Object(board.PartReport), metav1.GetOptions{})
			return err
		},
		"all reports": func() error {
			_, err := me.CoreV1().ConfigMaps("").List(ctx, metav1.ListOptions{LabelSelector: board.LabelPart + "=" + board.PartReport})
			return err
		},
		"write another's report": func() error { _, err := me.CoreV1().ConfigMaps(other).Create(ctx, report("{}", nil), none); return err },
		"execute in a pod":       func() error { return me.CoreV1().RESTClient().Post().AbsPath(core + "/pods/x/exec").Do(ctx).Error() },
		"a proxy to a service": func() error {
			return me.CoreV1().RESTClient().Get().AbsPath(core + "/services/x/proxy").Do(ctx).Error()
		},
		"ephemeral containers": func() error { return merge(core+"/pods/x/ephemeralcontainers", `{}`) },
		"be the instructor": func() error {
			cfg := tickets[0].config(t)
			cfg.Impersonate.UserName, cfg.Impersonate.Groups = "admin", []string{"system:masters"}
			_, err := kubernetes.NewForConfigOrDie(cfg).CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
			return err
		},
	}
	for what, change := range map[string]func(*corev1.Pod){
		"hostPath": func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "root", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}}
		},
		"hostNetwork": func(p *corev1.Pod) { p.Spec.HostNetwork = true },
		"hostPID":     func(p *corev1.Pod) { p.Spec.HostPID = true },
		"root":        func(p *corev1.Pod) { p.Spec.SecurityContext.RunAsUser = new(int64(0)) },
		"capabilities": func(p *corev1.Pod) {
			p.Spec.Containers[0].SecurityContext.Capabilities.Add = []corev1.Capability{"NET_RAW"}
		},
		"seccomp":            func(p *corev1.Pod) { p.Spec.SecurityContext.SeccompProfile.Type = corev1.SeccompProfileTypeUnconfined },
		"escalation":         func(p *corev1.Pod) { p.Spec.Containers[0].SecurityContext.AllowPrivilegeEscalation = new(true) },
		"the seat's account": func(p *corev1.Pod) { p.Spec.ServiceAccountName = "s01" },
	} {
		tries["a pod with "+what] = func() error { _, err := me.CoreV1().Pods(own).Create(ctx, pod(change), none); return err }
	}
	for what, try := range tries {
		if err := try(); !apierrors.IsForbidden(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func pod(change func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{GenerateName: "p-"}, Spec: corev1.PodSpec{
		SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: new(true), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
		Containers: []corev1.Container{{Name: "app", Image: "app", SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}}}},
	}}
	if change != nil {
		change(p)
	}
	return p
}

// TestForgedReport: whose a report is follows from where it is. What a learner writes on it,
// however much and of whatever kind, changes nothing for another.
func TestForgedReport(t *testing.T) {
	t.Parallel()
	c := newClassroom(t, "reports", 3)
	c.spec.Seats[1].Display = "=HYPERLINK(1)"
	c.create(t)
	_, tickets := c.hand(t)
	ours := map[string]string{board.LabelClass: "reports", board.LabelPart: board.PartReport}
	write := func(i int, cm *corev1.ConfigMap) {
		t.Helper()
		within(t, patience, "a report is taken", func() bool {
			_, err := tickets[i].kube(t).CoreV1().ConfigMaps(tickets[i].Namespace).Create(t.Context(), cm, metav1.CreateOptions{})
			return err == nil
		})
	}
	write(0, report(`{"lesson":"hpa/02","step":"=cmd|x","steps":3,"total":9,"answer":"+5\u001b[2J","votes":{"v1/1":"2","v1/2":"3"}}`, ours))
	write(1, report(strings.Repeat("x", board.MaxReport+1), ours))
	fake := report(`{"lesson":"fake","seat":"s03"}`, map[string]string{board.LabelClass: "reports", board.LabelPart: board.PartReport, board.LabelSeat: "s03"})
	fake.Name = "stepscale-report-s03"
	write(0, fake)
	pace := report(`{"step":"x"}`, map[string]string{board.LabelClass: "reports", board.LabelPart: board.PartPace})
	pace.Name = board.Object(board.PartPace)
	write(0, pace)
	elsewhere := newClassroom(t, "reportsother", 1) // its learner says that it is of this class
	elsewhere.create(t)
	_, others := elsewhere.hand(t)
	within(t, patience, "a report is taken", func() bool {
		_, err := others[0].kube(t).CoreV1().ConfigMaps(others[0].Namespace).Create(t.Context(), report(`{"lesson":"fake"}`, ours), metav1.CreateOptions{})
		return err == nil
	})
	all, err := c.Export(t.Context(), c.spec, c.spec.Ends)
	if err != nil || len(all.Seats) != 3 || all.Seats[0].Report == nil || all.Seats[0].Report.Lesson != "hpa/02" || !all.Seats[1].Broken || all.Seats[2].Report != nil || all.Home[board.Object(board.PartPace)] != "{}" {
		t.Fatalf("results %+v, %v", all, err)
	}
	var out strings.Builder
	if err := all.WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	want := "seat,display,lesson,step,steps,total,done,question,answer,help,replicas,since,vote v1/1,vote v1/2\n" +
		"s01,,hpa/02,'=cmd|x,3,9,false,,'+5\\x1b[2J,false,,,2,3\ns02,'=HYPERLINK(1),,,,,,,,,,,,\ns03,,,,,,,,,,,,,\n"
	if out.String() != want {
		t.Errorf("CSV\n%s\nwant\n%s", out.String(), want)
	}
}

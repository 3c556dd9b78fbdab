package hpa

import "github.com/spf13/pflag"

// AddFlags adds the flags of kube-controller-manager that a decision depends on, as
// upstream names them (cmd/kube-controller-manager/app/options/hpacontroller.go).
func (p *Params) AddFlags(fs *pflag.FlagSet) {
	fs.DurationVar(&p.SyncPeriod, "horizontal-pod-autoscaler-sync-period", p.SyncPeriod, "")
	fs.DurationVar(&p.DownscaleStabilization, "horizontal-pod-autoscaler-downscale-stabilization", p.DownscaleStabilization, "")
	fs.Float64Var(&p.Tolerance, "horizontal-pod-autoscaler-tolerance", p.Tolerance, "")
	fs.DurationVar(&p.CPUInitializationPeriod, "horizontal-pod-autoscaler-cpu-initialization-period", p.CPUInitializationPeriod, "")
	fs.DurationVar(&p.InitialReadinessDelay, "horizontal-pod-autoscaler-initial-readiness-delay", p.InitialReadinessDelay, "")
}

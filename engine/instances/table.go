package instances

// table has the on-demand price of every type in USD an hour as AWS lists it for Linux in
// us-east-1: aws/karpenter-provider-aws, pkg/providers/pricing/zz_generated.pricing_aws.go
// at 031e72b (generated 2026-01-19). vCPUs and memory are EC2's, and Pods is what the
// network interfaces of the type leave room for (eni-max-pods.txt of amazon-eks-ami).
var table = []Type{
	{Name: "t3.small", VCPU: 2, MemoryMiB: 2048, Arch: amd64, Pods: 11, Price: 0.0208},
	{Name: "t3.medium", VCPU: 2, MemoryMiB: 4096, Arch: amd64, Pods: 17, Price: 0.0416},
	{Name: "t3.large", VCPU: 2, MemoryMiB: 8192, Arch: amd64, Pods: 35, Price: 0.0832},
	{Name: "t3.xlarge", VCPU: 4, MemoryMiB: 16384, Arch: amd64, Pods: 58, Price: 0.1664},
	{Name: "t3.2xlarge", VCPU: 8, MemoryMiB: 32768, Arch: amd64, Pods: 58, Price: 0.3328},
	{Name: "c5.large", VCPU: 2, MemoryMiB: 4096, Arch: amd64, Pods: 29, Price: 0.085},
	{Name: "c5.xlarge", VCPU: 4, MemoryMiB: 8192, Arch: amd64, Pods: 58, Price: 0.17},
	{Name: "c5.2xlarge", VCPU: 8, MemoryMiB: 16384, Arch: amd64, Pods: 58, Price: 0.34},
	{Name: "c5.4xlarge", VCPU: 16, MemoryMiB: 32768, Arch: amd64, Pods: 234, Price: 0.68},
	{Name: "m5.large", VCPU: 2, MemoryMiB: 8192, Arch: amd64, Pods: 29, Price: 0.096},
	{Name: "m5.xlarge", VCPU: 4, MemoryMiB: 16384, Arch: amd64, Pods: 58, Price: 0.192},
	{Name: "m5.2xlarge", VCPU: 8, MemoryMiB: 32768, Arch: amd64, Pods: 58, Price: 0.384},
	{Name: "m5.4xlarge", VCPU: 16, MemoryMiB: 65536, Arch: amd64, Pods: 234, Price: 0.768},
	{Name: "r5.large", VCPU: 2, MemoryMiB: 16384, Arch: amd64, Pods: 29, Price: 0.126},
	{Name: "r5.xlarge", VCPU: 4, MemoryMiB: 32768, Arch: amd64, Pods: 58, Price: 0.252},
	{Name: "r5.2xlarge", VCPU: 8, MemoryMiB: 65536, Arch: amd64, Pods: 58, Price: 0.504},
	{Name: "t4g.small", VCPU: 2, MemoryMiB: 2048, Arch: arm64, Pods: 11, Price: 0.0168},
	{Name: "t4g.medium", VCPU: 2, MemoryMiB: 4096, Arch: arm64, Pods: 17, Price: 0.0336},
	{Name: "c6g.medium", VCPU: 1, MemoryMiB: 2048, Arch: arm64, Pods: 8, Price: 0.034},
	{Name: "c6g.large", VCPU: 2, MemoryMiB: 4096, Arch: arm64, Pods: 29, Price: 0.068},
	{Name: "c6g.xlarge", VCPU: 4, MemoryMiB: 8192, Arch: arm64, Pods: 58, Price: 0.136},
	{Name: "m6g.medium", VCPU: 1, MemoryMiB: 4096, Arch: arm64, Pods: 8, Price: 0.0385},
	{Name: "m6g.large", VCPU: 2, MemoryMiB: 8192, Arch: arm64, Pods: 29, Price: 0.077},
	{Name: "m6g.xlarge", VCPU: 4, MemoryMiB: 16384, Arch: arm64, Pods: 58, Price: 0.154},
	{Name: "m6g.2xlarge", VCPU: 8, MemoryMiB: 32768, Arch: arm64, Pods: 58, Price: 0.308},
}

const (
	amd64 = "amd64"
	arm64 = "arm64"
)

// Zones are where every type is for rent.
var Zones = []string{"us-east-1a", "us-east-1b"}

// spotShare of the on-demand price is what a spot instance costs here. Nobody publishes
// a list of spot prices: they change by the hour, and this one is made up.
const spotShare = 0.3

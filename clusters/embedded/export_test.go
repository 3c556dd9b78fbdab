package embedded

import "context"

// Serve lets other processes drive a cluster that runs already, as InBackground does
// with one of its own, until ctx is done or one of them asks to stop.
func Serve(ctx context.Context, c *Cluster, socket string, parse func([]byte) (Load, error)) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	control := &control{cluster: c, parse: parse, stop: stop}
	end, err := control.listen(ctx, socket)
	if err != nil {
		return err
	}
	control.ready()
	<-ctx.Done()
	control.drain()
	return end()
}

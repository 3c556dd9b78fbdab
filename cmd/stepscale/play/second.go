package play

import "github.com/stepscale/stepscale/engine/trace"

// reconsider lets who has predicted wrongly think once more, with the hints, before
// anything of the step is told. Where the load is not always the same, nobody can.
func (p *Play) reconsider(questions []question, guesses []string, frames []trace.Frame) error {
	if !p.SecondTry || p.Auto || !p.info.Simulated {
		return nil
	}
	for i, q := range questions {
		value, ok := lastFact(frames, q.fact)
		if !ok || guesses[i] == "" || right(guesses[i], value) {
			continue
		}
		p.tell(Again{i, guesses[i], len(q.hints) > 0})
		for _, h := range q.hints {
			p.tell(Hint{h})
		}
		p.asked, p.hints = &q, q.hints
		guess, err := p.ask(ForAnswer)
		p.asked = nil
		if err != nil {
			return err
		}
		if guess != "" {
			guesses[i] = guess
		}
	}
	return nil
}

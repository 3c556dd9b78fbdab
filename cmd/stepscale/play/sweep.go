package play

// keep answers an instructor who asks whether the pods may go.
func (p *Play) keep() flow {
	asked := p.now().Asked
	if asked == "" {
		p.note("파드를 치워도 되는지 지금 묻는 강사가 없습니다.")
		return stay
	}
	p.told(func(g *Progress) { g.Kept = asked })
	p.note("파드를 그대로 둡니다. 강사의 화면에 알렸습니다.")
	return stay
}

// revived gives a lesson its pods back that were taken while nobody was there, before the
// next step is executed.
func (p *Play) revived(said Said) error {
	if said.Swept == "" {
		return nil
	}
	if p.Revive != nil {
		p.told(func(*Progress) {}) // somebody is there again: a sweep that is under way gives back
		p.note("치워 둔 파드를 다시 띄웁니다. 실제 시간이 걸립니다.")
		const where = "파드 다시 띄우기"
		for failures := 0; ; failures++ {
			err := p.Revive(p.ctx)
			if err == nil {
				break
			}
			if !p.again(where, err, failures) {
				return p.failed(where, err)
			}
		}
		p.note("파드가 모두 돌아왔습니다. 이어서 실행합니다.")
	}
	p.told(func(g *Progress) { g.Kept = said.Swept })
	return nil
}

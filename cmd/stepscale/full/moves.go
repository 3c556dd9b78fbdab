package full

import "github.com/stepscale/stepscale/cmd/stepscale/view"

// move looks at a frame that many after the one that is shown.
func (m Model) move(by int) Model {
	if len(m.frames) == 0 {
		return m
	}
	m.cursor = min(max(m.cursor+by, 0), m.now)
	m.scroll[deed] = 0
	if m.past() {
		m.focus, m.tabbed = deed, true
	}
	return m
}

// change looks at the next frame in that direction that changed the pods' number or size.
func (m Model) change(by int) Model {
	for i := m.cursor + by; i >= 0 && i <= m.now; i += by {
		if m.Loop.Changed(m.frames[i]) {
			return m.move(i - m.cursor)
		}
	}
	m.aside = unchanged
	return m
}

// unchanged is what there is to say where nothing has changed in that direction.
var unchanged = []block{func(s *view.Screen) { s.Note("그쪽에는 파드의 수나 크기가 바뀐 단계가 없습니다.") }}

// present looks at what is now.
func (m Model) present() Model {
	m.cursor, m.tabbed, m.scroll[deed] = m.now, false, 0
	return m.lastPage()
}

// lastPage is the story at the beginning of its last page, where an older one was read.
func (m Model) lastPage() Model {
	if m.leaf > 0 {
		m.leaf, m.scroll[story] = 0, 0
	}
	return m
}

// turn reads the other pane.
func (m Model) turn() Model {
	m.focus, m.tabbed = deed-m.reads(), true
	return m
}

// reads is the pane that scrolls. Where both are on the screen, that is the story, unless
// the learner has turned to the other one.
func (m Model) reads() pane {
	if m.past() {
		return deed
	}
	if m.beside() && !m.tabbed {
		return story
	}
	if m.focus == deed && len(m.deeds) == 0 {
		return story
	}
	return m.focus
}

// untold tells whether the lesson has said something that was not shown yet.
func (m Model) untold() bool {
	return !m.beside() && !m.fresh && len(last(m.stories).blocks) > 0
}

// asksHere tells whether what is asked stands below the pane that is read: below what the step
// did, where the lesson says nothing more before it asks.
func (m Model) asksHere() bool { return m.reads() == story || !m.untold() }

// scrolled moves a pane by what is seen of it, but for a line. Before the beginning of the
// story is the page that was read before.
func (m Model) scrolled(by int) Model {
	p := m.reads()
	height, all := m.room(p)
	switch {
	case p == story && by < 0 && m.scroll[p] == 0 && m.leaf < len(m.stories)-1:
		m.leaf++
		m.scroll[p] = max(len(m.laid(p, height))-height, 0)
		return m
	case p == story && by > 0 && m.leaf > 0 && m.scroll[p]+height >= all:
		m.leaf--
		m.scroll[p] = 0
		return m
	}
	m.scroll[p] = min(max(m.scroll[p]+by*max(height-1, 1), 0), max(all-height, 0))
	return m
}

// more tells whether there is something below what is seen of a pane.
func (m Model) more(p pane) bool {
	height, all := m.room(p)
	return m.scroll[p]+height < all
}

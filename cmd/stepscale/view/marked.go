package view

// markWidth is the width of the widest mark, 알 수 없음.
const markWidth = 10

// Marked writes a line behind a mark that says what kind of line it is.
func (s *Screen) Marked(mark, text string) {
	mark, text = cell(seen(mark)), seen(text)
	s.print("  " + s.style(cyan, pad(mark, markWidth)) + "  " + hang(text, s.width, markWidth+4) + "\n")
}

// Command writes a command behind a mark, in one piece: it is there to be copied.
func (s *Screen) Command(mark, command string) {
	s.print("  " + s.style(cyan, pad(cell(seen(mark)), markWidth)) + "  " + cell(seen(command)) + "\n")
}

// Fault names something that is wrong. A note is told more quietly.
func (s *Screen) Fault(text string, serious bool) {
	if serious {
		s.print(s.wrap(s.style(boldRed, "✘ "+seen(text)), 2) + "\n")
		return
	}
	s.print(s.wrap(s.style(yellow, "△ "+seen(text)), 2) + "\n")
}

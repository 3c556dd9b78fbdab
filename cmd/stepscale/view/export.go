package view

import "al.essio.dev/pkg/shellescape"

// Export is a line for the shell of the second terminal.
func Export(name, value string) string { return "export " + name + "=" + shellescape.Quote(value) }

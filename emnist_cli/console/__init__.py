"""What people see: Rich tables on stdout, notes and progress on stderr. The only package that imports rich."""

module example.org/consumer

go 1.25.0

require telltale v0.0.0

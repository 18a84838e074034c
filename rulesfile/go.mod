module telltale/rulesfile

go 1.25.0

require (
	go.yaml.in/yaml/v3 v3.0.5
	telltale v0.0.0
)

replace telltale => ../

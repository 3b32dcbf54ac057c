module github.com/babyapi-org/babyapi-go/interop

go 1.26

require github.com/babyapi-org/babyapi-go v0.0.0

replace github.com/babyapi-org/babyapi-go => ../

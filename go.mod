module github.com/babyapi-org/babyapi-go

go 1.26

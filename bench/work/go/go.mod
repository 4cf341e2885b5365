module trambench

go 1.19

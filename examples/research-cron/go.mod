module example.com/research/news-digest

go 1.23

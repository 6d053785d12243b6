"""Figure data and reports turned into something to look at: terminal text, Markdown, a page, Bokeh drawings."""

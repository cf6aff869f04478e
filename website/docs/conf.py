# Configuration of Sphinx: https://www.sphinx-doc.org/en/master/usage/configuration.html

project = "copier-fastapi-async"
html_title = project
language = "en"
extensions = ["myst_parser"]
myst_heading_anchors = 4
html_theme = "furo"
templates_path = ["templates"]
html_static_path = ["static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_use_index = False
html_show_sphinx = False
html_show_copyright = False
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "explorer.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
exclude_patterns = ["templates", "static"]

# Configuration of Sphinx: https://www.sphinx-doc.org/en/master/usage/configuration.html

project = "copier-fastapi-async"
html_title = project
language = "en"
extensions = ["myst_parser"]
myst_heading_anchors = 4
html_theme = "furo"
FONTS = {
    "font-stack": "system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif",
    "font-stack--monospace": "ui-monospace, 'SF Mono', 'DejaVu Sans Mono', Consolas, monospace",
}
# The colors of the explorer.
html_theme_options = {
    "light_css_variables": {
        **FONTS,
        "color-brand-primary": "#0b5fb0",
        "color-brand-content": "#0b5fb0",
        "color-sidebar-link-text": "#1c2128",
        "color-sidebar-link-text--top-level": "#1c2128",
    },
    "dark_css_variables": {
        "color-brand-primary": "#7db9f5",
        "color-brand-content": "#7db9f5",
        "color-sidebar-link-text": "#e3e7ec",
        "color-sidebar-link-text--top-level": "#e3e7ec",
    },
}
templates_path = ["templates"]
html_static_path = ["static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_use_index = False
html_show_search_summary = False  # which fetch() would load
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

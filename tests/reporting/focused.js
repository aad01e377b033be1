// What has the focus: its name, where it is, and whether one sees that.
() => {
    const at = document.activeElement, style = getComputedStyle(at);
    const inner = at.matches(".themes input") ? getComputedStyle(at.nextElementSibling) : style;
    const name = at.classList[0] || at.name || at.closest("[role=group]")?.ariaLabel?.split(" ")[0] ||
        at.getAttribute("role") || at.tagName;
    const outlined = parseFloat(inner.outlineWidth) >= 2 && inner.outlineStyle !== "none";
    return { name, outlined, top: at.getBoundingClientRect().top + scrollY };
}

using MudBlazor;

namespace BulkImporter.Dashboard;

/// <summary>
/// One accent, calm surfaces, the system's own font. Text in any of the colours has a contrast of 4.5 on page and card. The colours of
/// states are the palette's: success, info, warning, error.
/// </summary>
internal static class DashboardTheme
{
    public static MudTheme Theme { get; } = new()
    {
        PaletteLight = new PaletteLight
        {
            Primary = "#3450c8",
            Success = "#17784a",
            Info = "#2862cf",
            Warning = "#9c5a00",
            Error = "#c52b2b",
            Background = "#f5f6fa",
            Surface = "#ffffff",
            AppbarBackground = "#ffffff",
            AppbarText = "#1c2333",
            TextPrimary = "#1c2333",
            TextSecondary = "#565f73",
            LinesDefault = "#e2e5ee",
            LinesInputs = "#b9c0d0",
            TableLines = "#e2e5ee",
            Divider = "#e2e5ee",
        },
        PaletteDark = new PaletteDark
        {
            Primary = "#8da2ff",
            PrimaryContrastText = "#12151d",
            Success = "#45c487",
            Info = "#6ea2ff",
            Warning = "#f0a83a",
            Error = "#ff7a72",
            Background = "#12151d",
            Surface = "#1a1f2a",
            AppbarBackground = "#1a1f2a",
            AppbarText = "#e8ebf3",
            TextPrimary = "#e8ebf3",
            TextSecondary = "#a3acbf",
            LinesDefault = "#2c3342",
            LinesInputs = "#4a5367",
            TableLines = "#2c3342",
            Divider = "#2c3342",
        },
        Typography = new Typography
        {
            Default = new DefaultTypography
            { FontFamily = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"], LetterSpacing = "normal" },
            Button = new ButtonTypography { TextTransform = "none", FontWeight = "600", LetterSpacing = "normal" },
        },
        LayoutProperties = new LayoutProperties { DefaultBorderRadius = "8px", AppbarHeight = "56px" },
    };
}

namespace BulkImporter.Manifests;

/// <summary>The kinds of file that a manifest can be, and that results are written as.</summary>
public enum FileFormat
{
    /// <summary>Lines of text whose fields a separator parts: CSV, TSV, Kaltura's list and that of Storage Transfer Service.</summary>
    Csv,

    /// <summary>A workbook of Excel or a program like it; one sheet of it is the manifest.</summary>
    Xlsx,

    /// <summary>One JSON object a line.</summary>
    Jsonl,
}

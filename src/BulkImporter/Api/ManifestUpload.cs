using BulkImporter.Imports;
using BulkImporter.Manifests;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace BulkImporter.Api;

/// <summary>
/// Reads <c>POST /imports</c>: a form with a <c>file</c>, or the file alone as the body. Neither is ever held as a whole: the file
/// streams into the database as it comes, and the fields of a form may stand before or after it.
/// </summary>
internal sealed class ManifestUpload(UploadManifest upload, CreateImport create)
{
    private const string Form = "multipart/form-data";
    private const int MostFields = 50;
    private const int MostFieldBytes = 64 * 1024;

    /// <summary>Uploads and creates. Everything that can be refused without the file is refused before it is read.</summary>
    public async Task<CreatedImport> RunAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var request = context.Request;
        // The limit of a manifest is ours (ManifestOptions); the server's general one is meant for small bodies.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = null;

        var fields = ImportFields.OfQuery(context);
        if (await create.FindByKeyAsync(fields.IdempotencyKey, cancellationToken) is { } known) return known;
        var type = MediaTypeHeaderValue.TryParse(request.ContentType, out var parsed) ? parsed : null;
        var kind = type?.MediaType.ToString().ToLowerInvariant();
        await create.CheckAsync(fields.ToImport(0), mayNameAccount: kind == Form, cancellationToken);
        return kind switch
        {
            Form => await FromFormAsync(request, type!, fields, cancellationToken),
            "application/x-www-form-urlencoded" or "application/json" => throw new BadHttpRequestException(
                $"A manifest comes as text/csv (the file as the body) or multipart/form-data (field 'file'), not as {kind}. "
                    + "With curl: --data-binary @FILE -H 'Content-Type: text/csv'.",
                StatusCodes.Status415UnsupportedMediaType),
            _ => await FromBodyAsync(request, fields, cancellationToken),
        };
    }

    private async Task<CreatedImport> FromBodyAsync(HttpRequest request, ImportFields fields, CancellationToken cancellationToken)
    {
        var manifest = await upload.RunAsync(request.Body, fields.FileName ?? "manifest.csv", cancellationToken);
        return await create.RunAsync(fields.ToImport(manifest.Id), cancellationToken);
    }

    private async Task<CreatedImport> FromFormAsync(
        HttpRequest request, MediaTypeHeaderValue type, ImportFields fields, CancellationToken cancellationToken)
    {
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).Value;
        if (string.IsNullOrEmpty(boundary)) throw new BadHttpRequestException("The multipart body has no boundary.");
        var reader = new MultipartReader(boundary, request.Body);
        UploadedManifest? manifest = null;
        try
        {
            for (var read = 0; await reader.ReadNextSectionAsync(cancellationToken) is { } section; read++)
            {
                if (read == MostFields) throw new BadHttpRequestException($"The form has more than {MostFields} fields.");
                if (section.GetContentDispositionHeader() is not { } disposition) continue;
                if (disposition.IsFileDisposition())
                {
                    if (manifest is not null)
                        throw new InvalidArgumentException("file", "The form has more than one file. An import has one manifest.");
                    await create.CheckAsync(fields.ToImport(0), mayNameAccount: true, cancellationToken);
                    var fileName = disposition.FileNameStar.HasValue
                        ? disposition.FileNameStar.Value : HeaderUtilities.RemoveQuotes(disposition.FileName).Value;
                    PlainText.RequireStorable("fileName", fileName);
                    manifest = await upload.RunAsync(section.Body, fields.FileName ?? fileName ?? "manifest.csv", cancellationToken);
                }
                else
                {
                    fields.Set(HeaderUtilities.RemoveQuotes(disposition.Name).Value
                        ?? "", await TextAsync(section.Body, cancellationToken));
                }
            }
        }
        catch (InvalidDataException damaged)
        {
            throw new BadHttpRequestException("The form cannot be read: " + damaged.Message, damaged);
        }
        if (manifest is null) throw new InvalidArgumentException("file", "The form has no file. Send it in the field 'file'.");
        return await create.RunAsync(fields.ToImport(manifest.Id), cancellationToken);
    }

    private static async Task<string> TextAsync(Stream field, CancellationToken cancellationToken)
    {
        var buffer = new byte[MostFieldBytes + 1];
        var length = await field.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        if (length > MostFieldBytes) throw new BadHttpRequestException($"A field of the form is longer than {MostFieldBytes:N0} bytes.");
        return Encoding.UTF8.GetString(buffer, 0, length);
    }
}

/// <summary>The settings of a new import as they come in: query arguments, form fields, and <c>set=NAME=VALUE</c>.</summary>
internal sealed class ImportFields(string actor, string idempotencyKey)
{
    private NewImport import = new(0, actor);

    /// <summary>The caller, the idempotency key, and the settings among the query arguments.</summary>
    /// <exception cref="InvalidArgumentException">A value cannot be meant.</exception>
    public static ImportFields OfQuery(HttpContext context)
    {
        PlainText.RequireStorable("Idempotency-Key", context.Request.Headers["Idempotency-Key"]);
        var fields = new ImportFields(context.User.Identity!.Name!, context.Request.Headers["Idempotency-Key"].ToString());
        foreach (var (name, values) in context.Request.Query)
        {
            foreach (var value in values) fields.Set(name, value ?? "");
        }
        return fields;
    }

    public string? IdempotencyKey { get; } = string.IsNullOrEmpty(idempotencyKey) ? null : idempotencyKey;

    /// <summary>What the caller calls the file, when the body itself does not say.</summary>
    public string? FileName { get; private set; }

    /// <summary>Takes one field; one that an import does not have is none of our business, except as a <c>set</c>.</summary>
    /// <exception cref="InvalidArgumentException">The value cannot be meant.</exception>
    public void Set(string name, string value)
    {
        PlainText.RequireStorable(name, value);
        if (name != "set") TrySet(name, value);
        else if (value.Split('=', 2) is not [var setting, var text])
            throw new InvalidArgumentException("set", $"'{value}' must have the form NAME=VALUE.");
        // What blanks mean around a value, the setting knows; a number of a command line may have some.
        else if (!TrySet(setting.Trim(), Setting.Named(setting.Trim()) is { About.IsOfFile: true } ? text : text.Trim()))
            throw new InvalidArgumentException("set",
                $"'{setting}' is not a setting; known are: {string.Join(", ", Setting.All.Select(s => s.Name))}.");
    }

    public NewImport ToImport(int manifestId) => import with { ManifestId = manifestId, IdempotencyKey = IdempotencyKey };

    private bool TrySet(string name, string value)
    {
        if (value.Length == 0) return true;
        switch (name)
        {
            case "name": import = import with { Name = value }; return true;
            case "fileName": FileName = value; return true;
            case "account": import = import with { Account = value }; return true;
            case "map": import = import with { Mapping = value }; return true;
            case "start": import = import with { Start = ApiArguments.Flag(name, value) }; return true;
            default:
                if (Setting.Named(name) is not { } setting) return false;
                import = import with { Settings = setting.With(import.Settings, value) };
                return true;
        }
    }
}

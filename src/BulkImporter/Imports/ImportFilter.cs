using BulkImporter.Accounts;
using BulkImporter.Manifests;

namespace BulkImporter.Imports;

public enum ImportOrder
{
    Newest,
    Oldest,
    Name,
}

/// <summary>Which imports a list shows, and in which order. Everything that is set must hold.</summary>
public sealed record ImportFilter
{
    /// <summary>Every import, the newest first.</summary>
    public static ImportFilter All { get; } = new();

    public ImportState? State { get; init; }

    /// <summary>Part of the name, the file's name, the account or the person who made it, in any case; or the import's number.</summary>
    public string? Search { get; init; }

    public ImportOrder Order { get; init; }

    /// <summary>A list that a person did not ask for in some way: what runs is what he looks for.</summary>
    internal bool IsRunningFirst => this == All;

    internal IQueryable<Import> Selected(ImporterDb db)
    {
        IQueryable<Import> selected = db.Set<Import>();
        if (State is { } state) selected = selected.Where(i => i.State == state);
        if (Search is { Length: > 0 } search)
        {
            var pattern = Like.Containing(search);
            int? number = int.TryParse(search.TrimStart('#'), CultureInfo.InvariantCulture, out var id) ? id : null;
            selected =
                from i in selected
                join a in db.Set<Account>() on i.AccountId equals a.Id
                join m in db.Set<Manifest>() on i.ManifestId equals m.Id
                where EF.Functions.ILike(i.Name, pattern, Like.Escape) || EF.Functions.ILike(m.FileName, pattern, Like.Escape)
                    || EF.Functions.ILike(a.Name, pattern, Like.Escape) || EF.Functions.ILike(i.CreatedBy, pattern, Like.Escape)
                        || i.Id == number
                select i;
        }
        return selected;
    }

    /// <summary>The imports that it selects behind this one (null for all), in its order.</summary>
    internal IQueryable<Import> Behind(ImporterDb db, int? after)
    {
        var selected = Selected(db);
        if (after is { } last)
        {
            selected = Order switch
            {
                ImportOrder.Newest => selected.Where(i => i.Id < last),
                ImportOrder.Oldest => selected.Where(i => i.Id > last),
                ImportOrder.Name => selected.Where(i => db.Set<Import>().Any(l => l.Id == last
                    && EF.Functions.GreaterThan(ValueTuple.Create(i.Name.ToLower(), i.Id), ValueTuple.Create(l.Name.ToLower(), l.Id)))),
            };
        }
        return Order switch
        {
            ImportOrder.Newest => selected.OrderByDescending(i => i.Id),
            ImportOrder.Oldest => selected.OrderBy(i => i.Id),
            ImportOrder.Name => selected.OrderBy(i => i.Name.ToLower()).ThenBy(i => i.Id),
        };
    }

    /// <summary>The imports that it selects ahead of this one, in the reverse of its order.</summary>
    internal IQueryable<Import> Ahead(ImporterDb db, int before) => Order switch
    {
        ImportOrder.Newest => Selected(db).Where(i => i.Id > before).OrderBy(i => i.Id),
        ImportOrder.Oldest => Selected(db).Where(i => i.Id < before).OrderByDescending(i => i.Id),
        ImportOrder.Name => Selected(db).Where(i => db.Set<Import>().Any(l => l.Id == before
                && EF.Functions.LessThan(ValueTuple.Create(i.Name.ToLower(), i.Id), ValueTuple.Create(l.Name.ToLower(), l.Id))))
            .OrderByDescending(i => i.Name.ToLower()).ThenByDescending(i => i.Id),
    };
}

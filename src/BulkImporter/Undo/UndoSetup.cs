namespace BulkImporter.Undo;

public static class UndoSetup
{
    /// <summary>What deletes assets, on a worker.</summary>
    public static IServiceCollection AddUndo(this IServiceCollection services) => services.AddSingleton<DeleteAssets>();

    /// <summary>What a person orders, behind the doors.</summary>
    public static IServiceCollection AddUndoOrders(this IServiceCollection services) => services.AddSingleton<UndoImport>();
}

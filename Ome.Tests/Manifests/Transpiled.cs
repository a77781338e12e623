using System.Reflection;
using System.Runtime.InteropServices;
using k8s.Models;
using KubeOps.Transpiler;

namespace Ome.Tests.Manifests;

/// <summary>CRDs and rules as KubeOps' transpiler (package or local) makes them from the classes of Ome.Shared.</summary>
internal static class Transpiled
{
    /// <summary>The CRDs of the given entities.</summary>
    public static IReadOnlyList<V1CustomResourceDefinition> Crds(params Type[] entities)
    {
        using var context = Context();
        return [.. entities.Select(entity => context.Transpile(Load(context, entity)))];
    }

    /// <summary>The rules of the RBAC attributes on a class, in a fixed order.</summary>
    public static IReadOnlyList<V1PolicyRule> Rules(Type marked)
    {
        using var context = Context();
        var rules = context.Transpile(Load(context, marked).GetCustomAttributesData());
        return [.. rules.Select(Tidy).OrderBy(rule => rule.ApiGroups[0], StringComparer.Ordinal).ThenBy(rule => rule.Resources[0], StringComparer.Ordinal)];
    }

    private static V1PolicyRule Tidy(V1PolicyRule rule) => new()
    {
        ApiGroups = [.. rule.ApiGroups],
        Resources = [.. rule.Resources.Order(StringComparer.Ordinal)],
        Verbs = [.. rule.Verbs],
    };

    private static Type Load(MetadataLoadContext context, Type type) =>
        context.LoadFromAssemblyPath(type.Assembly.Location).GetType(type.FullName!, throwOnError: true)!;

    private static MetadataLoadContext Context()
    {
        var paths = Directory.EnumerateFiles(RuntimeEnvironment.GetRuntimeDirectory(), "*.dll")
            .Concat(Directory.EnumerateFiles(AppContext.BaseDirectory, "*.dll"))
            .GroupBy(Path.GetFileName, StringComparer.OrdinalIgnoreCase)
            .Select(same => same.First());
        return ContextCreator.Create(paths, "System.Private.CoreLib");
    }
}

using System.Reflection;

namespace KubeOps.Transpiler;

/// <summary>Opens assemblies for reading, without running them.</summary>
public static class ContextCreator
{
    public static MetadataLoadContext Create(IEnumerable<string> assemblyPaths, string? coreAssemblyName = null) =>
        new(new PathAssemblyResolver(assemblyPaths), coreAssemblyName);

    public static MetadataLoadContext Create(IEnumerable<string> assemblyPaths, byte[] assembly, string? coreAssemblyName = null)
    {
        var context = Create(assemblyPaths, coreAssemblyName);
        context.LoadFromByteArray(assembly);
        return context;
    }
}

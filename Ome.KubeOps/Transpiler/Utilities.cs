using System.Reflection;

namespace KubeOps.Transpiler;

/// <summary>Steps between the running program's types and those of a <see cref="MetadataLoadContext"/>.</summary>
public static class Utilities
{
    public static Type GetContextType<T>(this MetadataLoadContext context) => context.GetContextType(typeof(T));

    /// <summary>The context's own type of the same name; its assembly is loaded from where the running program has it.</summary>
    public static Type GetContextType(this MetadataLoadContext context, Type type)
    {
        var loaded = context.GetAssemblies().Select(assembly => assembly.GetType(type.FullName!)).FirstOrDefault(found => found is not null);
        return loaded ?? context.LoadFromAssemblyPath(type.Assembly.Location).GetType(type.FullName!, throwOnError: true)!;
    }

    public static CustomAttributeData? GetCustomAttributeData<TAttribute>(this Type type)
        where TAttribute : Attribute => type.Find<TAttribute>();

    public static IEnumerable<CustomAttributeData> GetCustomAttributesData<TAttribute>(this Type type)
        where TAttribute : Attribute => type.FindAll<TAttribute>();
}

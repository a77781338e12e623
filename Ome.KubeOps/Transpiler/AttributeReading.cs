using System.Collections.ObjectModel;
using System.Reflection;

namespace KubeOps.Transpiler;

/// <summary>
/// Attributes as data: classes are read from a <see cref="MetadataLoadContext"/>, where nothing can be instantiated and types are
/// told by name. Enum values come as their numbers.
/// </summary>
internal static class AttributeReading
{
    internal static CustomAttributeData? Find<TAttribute>(this MemberInfo member)
        where TAttribute : Attribute => member.FindAll<TAttribute>().FirstOrDefault();

    internal static bool Has<TAttribute>(this MemberInfo member)
        where TAttribute : Attribute => member.FindAll<TAttribute>().Any();

    internal static IEnumerable<CustomAttributeData> FindAll<TAttribute>(this MemberInfo member)
        where TAttribute : Attribute => CustomAttributeData.GetCustomAttributes(member).Where(data => Is(data.AttributeType, typeof(TAttribute)));

    /// <summary>Also those of base classes, nearest first.</summary>
    internal static IEnumerable<CustomAttributeData> FindInherited<TAttribute>(this Type type)
        where TAttribute : Attribute
    {
        for (var current = type; current is not null; current = current.BaseType)
            foreach (var data in current.FindAll<TAttribute>())
                yield return data;
    }

    internal static object? Argument(this CustomAttributeData data, int index) =>
        index < data.ConstructorArguments.Count ? data.ConstructorArguments[index].Value : null;

    internal static string? Text(this CustomAttributeData data, int index) => data.Argument(index) as string;

    internal static object? Named(this CustomAttributeData data, string name) =>
        data.NamedArguments.FirstOrDefault(argument => argument.MemberName == name).TypedValue.Value;

    internal static IReadOnlyList<object?> List(this CustomAttributeData data, int index) => Items(data.Argument(index));

    internal static IReadOnlyList<object?> NamedList(this CustomAttributeData data, string name) => Items(data.Named(name));

    // An attribute of the user's own may derive from one of ours.
    internal static bool Is(Type? attributeType, Type wanted)
    {
        for (var current = attributeType; current is not null; current = current.BaseType)
            if (current.FullName == wanted.FullName) return true;
        return false;
    }

    private static IReadOnlyList<object?> Items(object? value) =>
        value is ReadOnlyCollection<CustomAttributeTypedArgument> items ? [.. items.Select(item => item.Value)] : [];
}
